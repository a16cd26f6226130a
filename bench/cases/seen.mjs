// How long it takes from the return of a put until another process, which looks in a loop, gets the value. This needs two
// processors. If `taskset` is installed, each process is bound to one of them: otherwise the kernel may wake the writer on
// the watcher's processor, and the watcher looks again only when the writer sleeps. The floor is the same with a bare word
// in shared memory. Both processes also read the clock before each step, because its first use after a while takes long
// enough to distort the figures.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Contender, reason } from '../lib/contenders.mjs';
import { keyOf, makeValue } from '../lib/data.mjs';
import { summary } from '../lib/measure.mjs';
import { loadFloor } from '../peers/floor.mjs';
import { PEERS, peerNamed } from '../peers/index.mjs';

/** The first puts, which are not counted. */
const WARMUPS = 20;
const BYTES = 1024;
const FLOOR = 'a word in shared memory';
const NAMES = Object.keys(PEERS).filter(
  (name) => !/floor|copy|read|Node-API|object|getBinary$|cacache/.test(name) && !peerNamed(name).memory,
);

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  context.progress('puts seen by another process');
  const puts = context.sizes.seen;
  /** @type {import('../lib/contenders.mjs').Rows} */
  const rows = {};
  const empty = { count: 1, bytes: BYTES };
  const floor = { name: FLOOR, spec: { peer: undefined } };
  for (const entrant of [...context.entrants(NAMES, empty), floor]) {
    const { name } = entrant;
    const absent = 'absent' in entrant ? entrant.absent : undefined;
    if (absent !== undefined || (name !== FLOOR && peerNamed(name).alone)) {
      rows[name] = { absent: absent ?? 'one process at a time' };
      continue;
    }
    entrant.spec = { ...entrant.spec, folder: mkdtempSync(join(context.root, 'seen-')), puts };
    const writer = new Contender('seen', entrant);
    const watcher = new Contender('seen', entrant);
    try {
      await writer.ready();
      await watcher.ready();
      keepApart(writer.pid, watcher.pid);
      const watching = /** @type {Promise<any>} */ (watcher.round('watch'));
      // It may fail while we still wait for the writer; an unhandled rejection would end the benchmark.
      watching.catch(() => {});
      // The watcher must be looking before the first put.
      await sleep(50);
      const returned = /** @type {number[]} */ (/** @type {unknown} */ (await writer.round('write')));
      /** @type {(number | null)[]} */
      const seen = await watching;
      // The watcher may miss a value if the next put comes first. If it sees one before the put returns, the time is negative.
      const took = seen.flatMap((at, i) => (at && i > WARMUPS ? [(at - (returned[i] ?? 0)) / 1000] : []));
      rows[name] = summary(took);
    } catch (error) {
      rows[name] = { absent: reason(error) };
    } finally {
      await writer.stop();
      await watcher.stop();
    }
  }
  context.add('seen', 'until another process sees a put that has returned', 'us', rows);
}

/** Binds two processes to different processors, if possible. @param {number} one @param {number} other */
function keepApart(one, other) {
  if (process.platform !== 'linux') return;
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  // For example "0-1,4".
  const cpus = (allowed ?? '').split(/[-,]/);
  const [first, last] = [cpus[0], cpus.at(-1)];
  if (first === last) return;
  for (const [pid, cpu] of [
    [one, first],
    [other, last],
  ])
    spawnSync('taskset', ['-a', '-p', '-c', `${cpu}`, `${pid}`], { stdio: 'ignore' });
}

/** Nanoseconds of the monotonic clock, which all processes share. */
const now = () => Number(process.hrtime.bigint());

/**
 * @typedef {object} Numbers
 * @property {(number: number) => void | Promise<void>} put
 * @property {() => number | Promise<number>} get the number put last, or 0
 * @property {() => unknown} close
 */

/** @param {string} peer @param {string} folder @returns {Promise<Numbers>} */
async function stored(peer, folder) {
  const { open, awaited = false, awaitedPut = false } = peerNamed(peer);
  const store = await open(folder, { count: 1, bytes: BYTES });
  const key = keyOf(1);
  /** @param {unknown} found */
  const numberIn = (found) => {
    const value = /** @type {Uint8Array | undefined} */ (found);
    if (value === undefined || value === null) return 0;
    const [a = 0, b = 0, c = 0] = value;
    return a | (b << 8) | (c << 16);
  };
  return {
    put: (number) => {
      const done = store.put(key, makeValue(number, BYTES));
      return awaitedPut ? /** @type {Promise<void>} */ (done) : undefined;
    },
    get: awaited ? async () => numberIn(await store.get(key)) : () => numberIn(store.get(key)),
    close: () => store.close(),
  };
}

/** @param {string} folder @returns {Numbers} */
function shared(folder) {
  const word = new Int32Array(loadFloor().sharedWords(join(folder, 'word')));
  return {
    put: (number) => void Atomics.store(word, 0, number),
    get: () => Atomics.load(word, 0),
    close: () => {},
  };
}

/** @param {{ peer?: string, folder: string, puts: number }} spec */
export async function inChild({ peer, folder, puts }) {
  const numbers = peer === undefined ? shared(folder) : await stored(peer, folder);
  const awaited = peer !== undefined && (peerNamed(peer).awaited || peerNamed(peer).awaitedPut);
  const write = async () => {
    const returned = new Array(puts + 1).fill(0);
    for (let i = 1; i <= puts; i++) {
      returned[i] = now();
      const done = numbers.put(i);
      if (done !== undefined) await done;
      returned[i] = now();
      await sleep(2);
    }
    return returned;
  };
  const watch = async () => {
    const seen = new Array(puts + 1).fill(0);
    const end = now() + (5000 + puts * 20) * 1e6;
    for (let last = 0; last < puts; ) {
      if (now() > end) throw new Error('never saw the last put');
      const found = numbers.get();
      const number = awaited ? await found : /** @type {number} */ (found);
      if (number > last && number <= puts) {
        seen[number] = now();
        last = number;
      }
      // lmdb reads from the same snapshot until the next turn of the event loop.
      if (peer !== undefined && /lmdb/.test(peer)) await turn();
    }
    return seen;
  };
  /** @type {Record<string, () => Promise<any>>} */
  const tasks = { write: async () => write, watch: async () => watch };
  return { tasks, close: () => numbers.close() };
}
