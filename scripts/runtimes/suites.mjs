// What of the suite runs in a system that has busybox and nothing else. Run by itself it tells the files.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Files that cannot run there, and why. @type {Record<string, string>} */
const IMPOSSIBLE = {
  '__test__/examples-artifacts.test.ts': 'takes a C compiler',
};

/** Those that can. */
export const POSSIBLE = ['__test__', '__test__/register']
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`))
  .filter((file) => file.endsWith('.test.ts') && IMPOSSIBLE[file] === undefined);

/**
 * What was seen to end under an emulator: the engine, every store but the artifact store, workers. Not in it: what holds a
 * machine to a time, such as expiry.test.ts and processes.test.ts, and `warmshard/register`, each of whose tests is a
 * heap of whole programs.
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
