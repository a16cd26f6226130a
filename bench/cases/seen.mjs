// How long after a put returned another process, which keeps looking, gets the value. Both are awake: it takes two
// processors.

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Contender, reason } from '../lib/contenders.mjs';
import { keyOf, makeValue } from '../lib/data.mjs';
import { summary } from '../lib/measure.mjs';
import { PEERS, peerNamed } from '../peers/index.mjs';

/** The first ones are for warming up. */
const WARMUPS = 20;
const BYTES = 1024;
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
  for (const entrant of context.entrants(NAMES, empty)) {
    const { name, absent } = entrant;
    if (absent !== undefined || peerNamed(name).alone) {
      rows[name] = { absent: absent ?? 'one process at a time' };
      continue;
    }
    entrant.spec = { ...entrant.spec, folder: mkdtempSync(join(context.root, 'seen-')), puts };
    const writer = new Contender('seen', entrant);
    const watcher = new Contender('seen', entrant);
    try {
      await writer.ready();
      await watcher.ready();
      const watching = /** @type {Promise<any>} */ (watcher.round('watch'));
      // It is looking before the first put.
      await sleep(50);
      const returned = /** @type {number[]} */ (/** @type {unknown} */ (await writer.round('write')));
      /** @type {(number | null)[]} */
      const seen = await watching;
      // A value that the next one overtook was not seen; one seen before put returned counts as negative.
      const took = seen.flatMap((at, i) => (at && i > WARMUPS ? [(at - (returned[i] ?? 0)) / 1000] : []));
      rows[name] = summary(took);
    } catch (error) {
      rows[name] = { absent: reason(error) };
    } finally {
      await writer.stop();
      await watcher.stop();
    }
  }
  context.add('seen', 'a put seen by another process, after it returned', 'us', rows);
}

/** Nanoseconds of the clock that all processes share. */
const now = () => Number(process.hrtime.bigint());

/** @param {{ peer: string, folder: string, puts: number }} spec */
export async function inChild({ peer, folder, puts }) {
  const { open, awaited = false, awaitedPut = false } = peerNamed(peer);
  const store = await open(folder, { count: 1, bytes: BYTES });
  const key = keyOf(1);
  const write = async () => {
    /** @type {number[]} */
    const returned = [];
    for (let i = 1; i <= puts; i++) {
      const done = store.put(key, makeValue(i, BYTES));
      if (awaitedPut) await done;
      returned[i] = now();
      await sleep(2);
    }
    return returned;
  };
  const watch = async () => {
    /** @type {number[]} */
    const seen = [];
    const end = Date.now() + 5000 + puts * 20;
    while (seen[puts] === undefined) {
      const found = store.get(key);
      const value = /** @type {Uint8Array | undefined} */ (awaited ? await found : found);
      const number = value ? new DataView(value.buffer, value.byteOffset).getUint32(0, true) : 0;
      if (number > 0) seen[number] ??= now();
      // lmdb goes on reading its snapshot until the event loop has turned.
      if (/lmdb/.test(peer)) await turn();
      if (Date.now() > end) throw new Error('never saw the last put');
    }
    return seen;
  };
  /** @type {Record<string, () => Promise<any>>} */
  const tasks = { write: async () => write, watch: async () => watch };
  return { tasks, close: () => store.close() };
}
