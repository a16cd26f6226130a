// Builds what the suite needs beside the peers' prebuilt binaries: the floor addon, and sqlite3 for keyv's store.
// Both speak Node-API: one build serves every version of Node.js. A failure leaves out their rows, no more.
//
//   npm run bench:addons

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './gyp.mjs';

const require = createRequire(import.meta.url);

const folders = {
  floor: fileURLToPath(new URL('../floor', import.meta.url)),
  sqlite3: dirname(require.resolve('sqlite3/package.json')),
};
for (const [name, folder] of Object.entries(folders))
  if (!build(folder)) {
    console.error(`${name}: not built`);
    process.exitCode = 1;
  }
