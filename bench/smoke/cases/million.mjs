// A shard of a million entries of 1 KiB: some 1.2 GB, made in batches.

import { statfsSync } from 'node:fs';
import { keyOf, makeValue } from '../data.mjs';
import { warmshardPeer } from '../peers.mjs';

export const MILLION = 1_000_000;
const BATCH = 50_000;
/** What the file and its growth by the puts need, with room to spare. */
const NEEDED_BYTES = 3 * 2 ** 30;

/** Why it cannot be made here, or `undefined`. @param {string} dir */
export function millionRefused(dir) {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize < NEEDED_BYTES ? `${dir} has less than 3 GiB free` : undefined;
}

/**
 * @param {string} path
 * @param {(done: number) => void} onProgress
 */
export function makeMillion(path, onProgress) {
  const shard = warmshardPeer(path);
  for (let done = 0; done < MILLION; done += BATCH) {
    shard.load(Array.from({ length: BATCH }, (_, i) => [keyOf(done + i), makeValue(done + i)]));
    onProgress(done + BATCH);
  }
  // Else the system would write it back while the next case runs.
  shard.flush();
  return shard;
}
