// The part of the suite that runs in a system with busybox and nothing else. Run by itself, this prints the files.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Files that cannot run there, and why. @type {Record<string, string>} */
const IMPOSSIBLE = {
  '__test__/examples-artifacts.test.ts': 'takes a C compiler',
};

/** The files that can run there. */
export const POSSIBLE = ['__test__', '__test__/register']
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`))
  .filter((file) => file.endsWith('.test.ts') && IMPOSSIBLE[file] === undefined);

/**
 * The files that finish under an emulator: the engine, every store but the artifact store, workers. It lacks tests that
 * depend on time, such as expiry.test.ts and processes.test.ts, and those of `warmshard/register`, each of which runs
 * many programs.
 */
const EMULATED = [
  'durability limits load-failure loading memory moved-file parts pipeline-damage pipeline-disk pipeline-layered',
  'pipeline-processes read-only root round-trip script-changes script-parts script-sources slabs system-errors',
  'validators values views walking worker-threads',
]
  .join(' ')
  .split(' ')
  .map((name) => `__test__/${name}.test.ts`);

/** The files of a guest's suite. @param {import('./guest.mjs').Guest} guest */
export const suiteFor = ({ qemu }) => (qemu === undefined ? POSSIBLE : EMULATED);

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(POSSIBLE.join('\n'));
