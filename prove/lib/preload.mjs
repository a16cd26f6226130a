// Builds a library that a proof preloads into its processes.

import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param {URL} source a file in C
 * @param {string} dir the folder for the library
 * @param {import('node:child_process').StdioOptions} stdio of the compiler
 * @returns {{ path: string } | { missing: string } | { broken: string }} `missing` if there is no compiler, `broken` if it fails
 */
export function preload(source, dir, stdio) {
  if (process.platform !== 'linux') return { missing: 'only on Linux' };
  const file = fileURLToPath(source);
  const path = `${dir}/${basename(file, '.c')}.so`;
  const { status, error } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', path, file, '-ldl'], { stdio });
  if (error) return { missing: `no C compiler (${error.message})` };
  return status === 0 ? { path } : { broken: `${file} did not compile` };
}
