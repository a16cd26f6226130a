// Builds the floor addon, and sqlite3 for keyv's store; the other peers have prebuilt binaries. Both use Node-API, so
// one build serves every version of Node.js. If a build fails, the benchmark only leaves out its rows.
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
