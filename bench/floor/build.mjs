// Builds the floor addon with the node-gyp that npm brings along, against the headers of the running Node.js.
//
// It downloads nothing: where the headers are not installed beside node, it says so and ends.
//
//   npm run bench:floor:build

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const prefix = process.env.FLOOR_NODEDIR ?? dirname(dirname(process.execPath));
const header = join(prefix, 'include', 'node', 'node_api.h');
if (!existsSync(header)) {
  console.error(`floor: ${header} is missing; set FLOOR_NODEDIR to a folder that holds include/node`);
  process.exit(1);
}

// npm tells its scripts where its own node-gyp is.
const bundled = process.env.npm_config_node_gyp;
const [command, args] = bundled ? [process.execPath, [bundled]] : ['node-gyp', []];
const { status, error } = spawnSync(command, [...args, 'rebuild', `--nodedir=${prefix}`], {
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  stdio: 'inherit',
});
if (error) console.error(`floor: ${command} did not start (${error.message}); use npm run bench:floor:build`);
process.exit(status ?? 1);
