// How much memory the C library's allocator has lent out, to the KiB: see heap.c.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/**
 * Builds the library, and gives the environment of a process that is to be measured. Without glibc or a C compiler nothing is
 * preloaded, and `lent` knows nothing.
 *
 * @param {string} dir
 * @returns {{ LD_PRELOAD?: string, WARMSHARD_HEAP?: string }}
 */
export function measured(dir) {
  if (process.platform !== 'linux') return {};
  const path = `${dir}/heap.so`;
  const source = fileURLToPath(new URL('heap.c', import.meta.url));
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', path, source], { stdio: 'ignore' });
  return status === 0 ? { LD_PRELOAD: path, WARMSHARD_HEAP: '1' } : {};
}

/** MiB that the allocator has lent out, or nothing where that cannot be told. */
export const lent = () => (process.env.WARMSHARD_HEAP ? getPriority() / 1024 : undefined);

/** MiB that are this process' own: arenas and semispaces that are reserved and not used do not count. */
export function own() {
  if (process.platform !== 'linux') return process.memoryUsage().heapUsed / 2 ** 20;
  lent();
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}
