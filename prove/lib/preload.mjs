// Builds a library that is preloaded into a process of a proof.

import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param {URL} source in C
 * @param {string} dir where it goes to
 * @param {import('node:child_process').StdioOptions} stdio of the compiler
 * @returns {{ path: string } | { missing: string } | { broken: string }} the last where there is a compiler, but it refuses
 */
export function preload(source, dir, stdio) {
  if (process.platform !== 'linux') return { missing: 'only on Linux' };
  const file = fileURLToPath(source);
  const path = `${dir}/${basename(file, '.c')}.so`;
  const { status, error } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', path, file, '-ldl'], { stdio });
  if (error) return { missing: `no C compiler (${error.message})` };
  return status === 0 ? { path } : { broken: `${file} did not compile` };
}
