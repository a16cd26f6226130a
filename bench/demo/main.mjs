// The demonstration: starts programs from node_modules without warmshard/register, for the first time with it, and warm.
// Their output and exit code must be the same each time.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
// @ts-expect-error: cli-progress ships no types
import cliProgress from 'cli-progress';
import Table from 'cli-table3';

const HELP = `Usage: npm run demo -- [options]

  --runs N   warm runs of each program, and as many without warmshard/register (default 7)
  --json     print only JSON
  --help     show this text

Exits with 1 if a program's output or exit code differs with warmshard/register.`;

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const runs = Math.max(1, Number.parseInt(options.runs, 10) || 1);
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'warmshard-demo-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const source = join(folder, 'greeting.ts');
writeFileSync(source, 'export const greet = (name: string): string => "Hello, " + name;\n');
const bin = (/** @type {string} */ path) => join(root, 'node_modules', path);

/** @type {{ name: string, args: string[] }[]} */
const programs = [
  {
    name: 'tsc, one file',
    args: [bin('typescript/bin/tsc'), '--ignoreConfig', '--noEmit', '--noLib', source],
  },
  { name: 'tsc --version', args: [bin('typescript/bin/tsc'), '--version'] },
  {
    name: 'rollup, one bundle',
    args: [bin('rollup/dist/bin/rollup'), join(root, 'dist/index.mjs'), '--silent'],
  },
  { name: 'node-gyp --version', args: [bin('node-gyp/bin/node-gyp.js'), '--version'] },
  { name: 'node-gyp --help', args: [bin('node-gyp/bin/node-gyp.js'), '--help'] },
];

// Programs must not switch on a cache of their own, which would be measured instead of ours.
const plain = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1', NODE_OPTIONS: '' };
const warm = { ...plain, WARMSHARD_HOME: join(folder, 'cache'), WARMSHARD: '1' };
const hook = ['-r', join(root, 'dist/register.cjs')];

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
function run(args, env) {
  const start = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    env,
    cwd: folder,
    encoding: 'utf8',
  });
  return { ms: performance.now() - start, outcome: JSON.stringify([status, signal, stdout, stderr]) };
}

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const bar = new cliProgress.SingleBar({ format: '{step} [{bar}] {value}/{total}', clearOnComplete: true });
if (process.stderr.isTTY && !options.json) bar.start(programs.length * runs, 0, { step: '' });

const rows = programs.map(({ name, args }) => {
  bar.update({ step: name });
  const expected = run(args, plain).outcome;
  const cold = run([...hook, ...args], warm);
  const without = [];
  const served = [];
  let same = cold.outcome === expected;
  for (let i = 0; i < runs; i++) {
    const one = run(args, plain);
    const other = run([...hook, ...args], warm);
    without.push(one.ms);
    served.push(other.ms);
    same &&= one.outcome === expected && other.outcome === expected;
    bar.increment();
  }
  return { name, without: median(without), cold: cold.ms, warm: median(served), same };
});
bar.stop();

const bytes = statSync(join(folder, 'cache', 'programs.shard')).size;
process.exitCode = rows.every((row) => row.same) ? 0 : 1;
if (options.json) console.log(JSON.stringify({ runs, node: process.version, bytes, rows }, null, 2));
else {
  const table = new Table({
    head: ['', 'without, ms', 'first run, ms', 'warm, ms', 'saved', 'same output'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const row of rows)
    table.push([
      row.name,
      row.without.toFixed(0),
      row.cold.toFixed(0),
      row.warm.toFixed(0),
      `${(100 - (100 * row.warm) / row.without).toFixed(0)} %`,
      row.same ? 'yes' : 'NO',
    ]);
  console.log(`${table}

Node.js ${process.version}, whole processes, medians of ${runs} alternating runs. An empty process takes ${median(
    Array.from({ length: runs }, () => run(['-e', '0'], plain).ms),
  ).toFixed(0)} ms.
One shard of ${(bytes / 1e6).toFixed(1)} MB serves all programs.`);
}
