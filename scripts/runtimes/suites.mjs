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

/** What an emulator does in half an hour: the engine, the package, every store, and `warmshard/register`. */
const EMULATED = [
  'artifact-crash artifact-payloads async-work autoload-batches bad-arguments batches closing codecs damage digests durability',
  'expiry fast-door file-trust keys killed-writer large-values lifetime limits load-failure loading memory moved-file',
  'parts pipeline-damage pipeline-disk pipeline-layered pipeline-processes processes read-only root round-trip',
  'script-changes script-parts script-sources slabs system-errors validators values views walking worker-threads',
  'register/changed-files register/damaged-shards register/no-binary register/processes register/requests register/sources',
]
  .join(' ')
  .split(' ')
  .map((name) => `__test__/${name}.test.ts`);

/** The files of a guest's suite. @param {import('./guest.mjs').Guest} guest */
export const suiteFor = ({ qemu }) => (qemu === undefined ? POSSIBLE : EMULATED);

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(POSSIBLE.join('\n'));
