// Single puts of new 1 KiB entries, not synced: the cost must not grow with what is there already.

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf, keysOf, makeValue } from '../data.mjs';
import { perTurn } from '../loops.mjs';
import { measure } from '../measure.mjs';
import { LMDB_FILE, lmdbPeer, warmshardPeer } from '../peers.mjs';

const PUTS = 1000;
/** Entries of the smaller stores. */
const SMALL = 10_000;

/**
 * Rounds of puts into stores that exist; each round's keys are new. A bare append of as many bytes runs beside them:
 * it tells how fast the system is today.
 *
 * @param {{ stores: Record<string, import('../peers.mjs').Peer>, dir: string, rounds: number }} options
 */
export async function puts({ stores, dir, rounds }) {
  const value = makeValue(3);
  const log = openSync(join(dir, 'append'), 'a');
  const contenders = Object.entries(stores).map(([name, store]) => {
    let next = 0;
    return {
      name,
      round() {
        const keys = Array.from({ length: PUTS }, () => keyOf(next++, '/home/user/puts'));
        return perTurn(PUTS, () => {
          for (const key of keys) store.put(key, value);
        });
      },
    };
  });
  const append = {
    name: 'append of 1 KiB',
    round: () =>
      perTurn(PUTS, () => {
        for (let i = 0; i < PUTS; i++) writeSync(log, value);
      }),
  };
  const figures = await measure([...contenders, append], { rounds });
  closeSync(log);
  return figures;
}

/** A shard and an lmdb of 10,000 entries, and where they are. @param {string} dir */
export function makeSmall(dir) {
  const shard = join(dir, 'small.shard');
  const folder = join(dir, 'small.lmdb');
  mkdirSync(folder);
  const lmdb = lmdbPeer(folder);
  /** @type {Record<string, import('../peers.mjs').Peer>} */
  const stores = { 'warmshard, 10k': warmshardPeer(shard), ...(lmdb && { 'lmdb, 10k': lmdb }) };
  /** @type {Record<string, { peer: string, path: string }>} */
  const paths = {
    'warmshard, 10k': { peer: 'warmshard', path: shard },
    ...(lmdb && { 'lmdb, 10k': { peer: 'lmdb', path: join(folder, LMDB_FILE) } }),
  };
  for (const store of Object.values(stores)) store.load(keysOf(SMALL).map((key, i) => [key, makeValue(i)]));
  return { stores, paths };
}
