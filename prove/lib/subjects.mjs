// The stores that the proofs try, behind one small interface, so that one oracle can judge all of them.

import { createHash } from 'node:crypto';
import { ArtifactStore, DiskPipelineCache, Shard } from 'warmshard';
import { bytesOf, tagOf } from './values.mjs';

/** @typedef {import('./oracle.mjs').Change} Change */

/**
 * @typedef {object} Subject
 * @property {string} name
 * @property {(dir: string) => any} open
 * @property {(store: any, change: Change) => void} apply
 * @property {(store: any, key: string) => number | undefined} find
 * @property {(store: any, which: number) => void} keepHouse calls a method that changes no entry; number 0 flushes
 * @property {boolean} [deferred] whether changes take effect only with a flush
 * @property {boolean} [lenient] whether a change that the system refuses is counted instead of thrown
 * @property {boolean} batches whether several keys can change together
 */

/** @param {string} name @param {object} how @returns {Subject} */
function shard(name, how) {
  return {
    name,
    batches: true,
    open: (dir) => Shard.open(`${dir}/cache.shard`, { lockTimeout: 2000, ...how }),
    apply(store, { tag, put = [], remove = [], only }) {
      const entries = /** @type {[string, Uint8Array][]} */ (put.map((key) => [key, bytesOf(key, tag)]));
      if (only && entries.length === 0) store.clear();
      else if (only) store.replaceAll(entries);
      else if (entries.length > 1) store.mergeIn(entries);
      else if (entries[0]) store.put(...entries[0]);
      for (const key of remove) store.delete(key);
    },
    find(store, key) {
      const value = store.get(key);
      return value === undefined ? undefined : tagOf(key, value);
    },
    keepHouse(store, which) {
      const work = [
        () => store.flush(),
        () => store.compact(),
        () => store.verify(),
        () => store.evictStale(),
        () => [...store.keys()],
        () => store.list(),
        () => store.durability(),
        () => store.stats(),
      ];
      work[which % work.length]?.();
    },
  };
}

/** @type {Subject} */
const artifacts = {
  name: 'artifact store',
  batches: false,
  deferred: true,
  open: (dir) => ArtifactStore.open(`${dir}/artifacts`, { lockTimeout: 2000 }),
  apply(store, { tag, put = [], remove = [], only }) {
    if (only) store.clear();
    for (const key of put) {
      const value = bytesOf(key, tag);
      const row = {
        outputNames: ['a', 'b'],
        outputSizes: [value.length, 3],
        stdout: value,
        stderr: new Uint8Array(0),
        exitCode: 0,
      };
      store.putOutputs(key, [value, Buffer.from(String(tag % 1000).padStart(3, '0'))], {
        pack: tag % 2 === 0,
      });
      store.insert(key, row);
    }
    for (const key of remove) store.remove(key);
  },
  find(store, key) {
    const row = store.get(key);
    if (row === undefined) return undefined;
    const tag = tagOf(key, row.stdout);
    for (const index of [0, 1]) {
      const output = store.output(key, index);
      if (output === undefined) continue;
      const is = index === 0 ? tagOf(key, output) : Number(Buffer.from(output).toString());
      if (index === 1 ? output.length !== 3 : !(is >= 0)) throw new Error(`wrong output of ${key}: ${is}`);
    }
    return tag;
  },
  keepHouse(store, which) {
    const work = [
      () => store.flush(),
      () => store.loadAll(),
      () => store.totalSizeBytes(),
      () => store.stats(),
    ];
    work[which % work.length]?.();
  },
};

/** @param {string} key */
const fingerprint = (key) => createHash('sha256').update(key).digest();

/** @type {Subject} */
const pipeline = {
  name: 'pipeline cache',
  batches: false,
  lenient: true,
  open: (dir) => DiskPipelineCache.open(`${dir}/pipeline`),
  apply(store, { tag, put = [], remove = [], only }) {
    if (only) store.clear();
    for (const key of put) store.put(fingerprint(key), bytesOf(key, tag));
    for (const key of remove) store.remove(fingerprint(key));
  },
  find(store, key) {
    const value = store.get(fingerprint(key));
    return value === undefined ? undefined : tagOf(key, value);
  },
  keepHouse(store, which) {
    const work = [() => store.flush(), () => store.metrics(), () => store.durabilityReport()];
    work[which % work.length]?.();
  },
};

/** @type {readonly Subject[]} */
export const SUBJECTS = [
  shard('shard', {}),
  shard('shard, synced', { durability: 'sync' }),
  shard('shard, read', { access: 'read' }),
  shard('shard, keyed', { digest: { key: new Uint8Array(32).fill(7) }, copy: true }),
  artifacts,
  pipeline,
];
