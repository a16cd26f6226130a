// The main job on real input: the JavaScript of every package in node_modules is compiled by one process, which
// publishes its bytecode; fresh processes then load all of it from the shard, and must behave as if they had compiled.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { demonstrate } from './demonstrate.mjs';
import { createProgress } from './progress.mjs';
import { format } from './report.mjs';

const HELP = `Usage: npm run demo -- [options]

  --shard PATH   where to put the shard, and leave it (default: a temporary file)
  --runs N       fresh processes of each kind (default 3)
  --json         print JSON, and nothing else
  --help         this

Exits with 1 if a script was not loaded from the shard, or does not behave as compiled from its source.`;

const { values: options } = parseArgs({
  options: {
    shard: { type: 'string' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const runs = Math.max(1, Number.parseInt(options.runs, 10) || 1);
const temporary = options.shard === undefined ? mkdtempSync(join(tmpdir(), 'warmshard-demo-')) : undefined;
process.on('exit', () => temporary && rmSync(temporary, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
const shard = temporary ? join(temporary, 'demo.shard') : resolve(options.shard ?? '');
const root = fileURLToPath(new URL('../../', import.meta.url));

const report = await demonstrate(
  { shard, folder: join(root, 'node_modules'), from: join(root, 'package.json'), runs },
  createProgress(options.json),
);
console.log(options.json ? JSON.stringify(report, null, 2) : format(report));
process.exitCode = report.ok ? 0 : 1;
