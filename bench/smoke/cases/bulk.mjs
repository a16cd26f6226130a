// One batch of 16,384 values of 4 KiB.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf, makeValue } from '../data.mjs';
import { measure } from '../measure.mjs';
import { lmdbPeer, warmshardPeer } from '../peers.mjs';

const BATCH = 16_384;
const VALUE_BYTES = 4096;

/**
 * One batch into a store that does not exist yet, in milliseconds.
 *
 * @param {{ dir: string, rounds: number }} options
 */
export function bulk({ dir, rounds }) {
  /** @type {[string, Uint8Array][]} */
  const entries = Array.from({ length: BATCH }, (_, i) => [keyOf(i), makeValue(i, VALUE_BYTES)]);
  let made = 0;
  /** @param {string} name @param {(path: string) => import('../peers.mjs').Peer | undefined} open */
  const contender = (name, open) => ({
    name,
    round() {
      const path = join(dir, `bulk-${made++}`);
      const started = process.hrtime.bigint();
      const store = open(path);
      store?.load(entries);
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      store?.close();
      rmSync(path, { recursive: true, force: true });
      return ms;
    },
  });
  const openLmdb = (/** @type {string} */ path) => {
    mkdirSync(path);
    return lmdbPeer(path);
  };
  const withLmdb = openLmdb(join(dir, 'bulk-probe')) !== undefined;
  return measure(
    [contender('warmshard', warmshardPeer), ...(withLmdb ? [contender('lmdb', openLmdb)] : [])],
    { rounds, warmups: 1 },
  );
}
