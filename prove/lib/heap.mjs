// How much memory is allocated from the C library, to the KiB: see heap.c.

import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { preload } from './preload.mjs';

/**
 * Builds the library and returns the environment variables for a process to be measured. Without glibc or a C compiler nothing
 * is preloaded, and `lent` returns `undefined`.
 *
 * @param {string} dir
 * @returns {{ LD_PRELOAD?: string, WARMSHARD_HEAP?: string }}
 */
export function measured(dir) {
  const built = preload(new URL('heap.c', import.meta.url), dir, 'ignore');
  return 'path' in built ? { LD_PRELOAD: built.path, WARMSHARD_HEAP: '1' } : {};
}

/** MiB that are allocated from the C library, or `undefined` if the library is not preloaded. */
export const lent = () => (process.env.WARMSHARD_HEAP ? getPriority() / 1024 : undefined);

/** MiB of private memory of this process; memory that is reserved but unused does not count. */
export function own() {
  if (process.platform !== 'linux') return process.memoryUsage().heapUsed / 2 ** 20;
  lent();
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}
