// How long after a put returns another process, which keeps looking, gets the value. Both are awake: two processors.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keyOf, makeValue } from '../data.mjs';
import { summary } from '../measure.mjs';
import { lmdbPeer, warmshardPeer } from '../peers.mjs';

const CHILD = fileURLToPath(new URL('../children/watch.mjs', import.meta.url));
/** Values before these are for warming up. */
const WARMUPS = 20;

/**
 * @param {string} name
 * @param {string} path
 * @param {import('../peers.mjs').Peer} store
 * @param {number} puts
 */
async function latencies(name, path, store, puts) {
  const key = keyOf(1);
  const child = fork(CHILD, [name, path, key, String(puts)]);
  try {
    await once(child, 'message');
    const told = once(child, 'message');
    /** @type {bigint[]} */
    const returned = [];
    for (let i = 1; i <= puts; i++) {
      const value = makeValue(i);
      store.put(key, value);
      returned[i] = process.hrtime.bigint();
      await sleep(2);
    }
    const [seen] = /** @type {[(string | null)[]]} */ (await told);
    // A value that the next one overtook was not seen; one seen before put returned counts as negative.
    return seen.flatMap((at, i) =>
      at && i > WARMUPS ? [Number(BigInt(at) - (returned[i] ?? 0n)) / 1000] : [],
    );
  } finally {
    child.kill();
    store.close();
  }
}

/** Microseconds. @param {{ dir: string, puts: number }} options */
export async function visibility({ dir, puts }) {
  const path = join(dir, 'visible.shard');
  const lmdbDir = join(dir, 'visible.lmdb');
  mkdirSync(lmdbDir);
  /** @type {import('../measure.mjs').Figures} */
  const figures = { warmshard: summary(await latencies('warmshard', path, warmshardPeer(path), puts)) };
  const lmdb = lmdbPeer(lmdbDir);
  if (lmdb) figures.lmdb = summary(await latencies('lmdb', lmdbDir, lmdb, puts));
  return figures;
}
