// How much memory the C library's allocator has lent out, to the KiB: see heap.c.

import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { preload } from './preload.mjs';

/**
 * Builds the library, and gives the environment of a process that is to be measured. Without glibc or a C compiler nothing is
 * preloaded, and `lent` knows nothing.
 *
 * @param {string} dir
 * @returns {{ LD_PRELOAD?: string, WARMSHARD_HEAP?: string }}
 */
export function measured(dir) {
  const built = preload(new URL('heap.c', import.meta.url), dir, 'ignore');
  return 'path' in built ? { LD_PRELOAD: built.path, WARMSHARD_HEAP: '1' } : {};
}

/** MiB that the allocator has lent out, or nothing where that cannot be told. */
export const lent = () => (process.env.WARMSHARD_HEAP ? getPriority() / 1024 : undefined);

/** MiB that are this process' own: arenas and semispaces that are reserved and not used do not count. */
export function own() {
  if (process.platform !== 'linux') return process.memoryUsage().heapUsed / 2 ** 20;
  lent();
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}
