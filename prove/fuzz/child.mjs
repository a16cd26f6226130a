// Opens one damaged store after another and calls every method: see main.mjs. `node --expose-gc prove/fuzz/child.mjs FOLDER NOTE
// SEED 0` repeats the input of one seed.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { AutoloadCache, DiskPipelineCache, ScriptCache, WarmshardError } from 'warmshard';
import { random } from '../lib/random.mjs';
import { SUBJECTS } from '../lib/subjects.mjs';
import { bytesOf, tagOf } from '../lib/values.mjs';
import { callAll } from './calls.mjs';
import { mutate } from './mutate.mjs';

const [dir, now, first, seconds] = /** @type {[string, string, string, string]} */ (process.argv.slice(2));
const host = { name: 'fuzz', version: '1', binary: /** @type {const} */ (false) };
const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`);
const deadline = Date.now() + Number(seconds) * 1000;
/** @type {string[]} */
const wrong = [];
let calls = 0;
let inputs = 0;

/** @type {readonly import('../lib/subjects.mjs').Subject[]} */
const KINDS = [
  ...SUBJECTS.filter((it) => it.name !== 'shard, synced'),
  {
    name: 'autoload',
    batches: true,
    open: (at) => AutoloadCache.open(`${at}/autoload.shard`, { host }),
    apply: (store, { tag, put = [] }) => void store.mergeIn(put.map((key) => [key, bytesOf(key, tag)])),
    find(store, key) {
      const value = store.get(key);
      return value && tagOf(key, value);
    },
    keepHouse: (store) => store.flush(),
  },
  {
    name: 'script',
    batches: false,
    open: (at) => ScriptCache.open(`${at}/script.shard`, { host }),
    apply(store, { tag, put = [] }) {
      for (const key of put) store.put(`/src/${key}`, 1000, 1, { code: bytesOf(key, tag) });
    },
    find(store, key) {
      const parts = store.get(`/src/${key}`, 1000, 1);
      return parts && tagOf(key, parts.code);
    },
    keepHouse: (store) => store.flush(),
  },
];

/** @param {import('../lib/subjects.mjs').Subject} kind @param {string} at */
function make(kind, at) {
  mkdirSync(at, { recursive: true, mode: 0o700 });
  const store = kind.open(at);
  for (const [tag, key] of keys.entries()) kind.apply(store, { tag, put: [key] });
  if (kind.batches) kind.apply(store, { tag: 99, put: ['batch 1', 'batch 2', 'batch 3'] });
  kind.keepHouse(store, 0);
  for (const key of keys.slice(0, 5)) kind.apply(store, { tag: 100, put: [key] });
  store.close();
}

/** @param {() => unknown} work */
function may(work) {
  calls++;
  try {
    return work();
  } catch (error) {
    if (!(error instanceof WarmshardError)) throw error;
    return undefined;
  }
}

rmSync(dir, { recursive: true, force: true });
for (const kind of KINDS) make(kind, `${dir}/sound/${kind.name}`);
for (let seed = Number(first); inputs === 0 || Date.now() < deadline; seed++) {
  const next = random(seed);
  const kind = /** @type {(typeof KINDS)[number]} */ (KINDS[next(KINDS.length)]);
  const at = `${dir}/input`;
  rmSync(at, { recursive: true, force: true });
  cpSync(`${dir}/sound/${kind.name}`, at, { recursive: true });
  const files = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(`${at}/${name}`).isFile(),
  );
  for (let i = 0; i <= next(3); i++) {
    const [name, other] = [files[next(files.length)], files[next(files.length)]];
    writeFileSync(
      `${at}/${name}`,
      mutate(readFileSync(`${at}/${name}`), readFileSync(`${at}/${other}`), next),
    );
  }
  writeFileSync(now, `${seed} ${kind.name}`);
  /** @type {any} */
  const store = may(() => kind.open(at));
  if (store !== undefined) {
    for (const key of keys) {
      may(() => {
        try {
          kind.find(store, key);
        } catch (error) {
          if (error instanceof WarmshardError) throw error;
          wrong.push(`seed ${seed} (${kind.name}): ${/** @type {Error} */ (error).message}`);
        }
      });
    }
    callAll(store, store instanceof DiskPipelineCache ? new Uint8Array(32).fill(next(256)) : 'key 3', may);
  }
  inputs++;
  if (inputs % 50 === 0) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
}
console.log(
  JSON.stringify({ inputs, calls, wrong, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }),
);
