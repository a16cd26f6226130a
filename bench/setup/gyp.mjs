// Runs node-gyp with headers that are on the machine already, or come with a fetched Node.js: node-gyp itself
// downloads nothing.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fetchNode, headers } from './nodes.mjs';

const require = createRequire(import.meta.url);

/** Builds the addon in a folder and returns whether that worked. @param {string} folder */
export function build(folder) {
  const nodedir = headers() ?? (fetchNode(process.versions.node.split('.', 1)[0] ?? '') && headers());
  if (nodedir === undefined) {
    console.error('no headers of Node.js: set FLOOR_NODEDIR to a folder that holds include/node');
    return false;
  }
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  const args = [gyp, 'rebuild', '--release', `--nodedir=${nodedir}`];
  return spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' }).status === 0;
}
