// The typed stores: the cost of a load compared with that of a stat, of thousands of functions, and of artifacts.
//
// Compare ratios within one run; absolute figures depend on the machine.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { machine } from '../lib/machine.mjs';
import { figure, machineLine } from '../report/markdown.mjs';
import { artifacts } from './artifacts.mjs';
import { functions } from './functions.mjs';
import { scripts } from './scripts.mjs';

const HELP = `Usage: npm run bench:stores -- [options]

  --rounds N    rounds of each contender (default 15)
  --help        show this text`;

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, help: { type: 'boolean', default: false } },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = Math.max(1, Number.parseInt(options.rounds, 10) || 1);
const dir = mkdtempSync(join(tmpdir(), 'warmshard-stores-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const table = new Table({
  head: ['what', 'by', 'unit', 'median', 'min', 'max', 'rounds'],
  colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [], compact: true },
});
/** @param {Record<string, import('../lib/measure.mjs').Figures>} cases @param {string} unit */
function add(cases, unit) {
  for (const [name, figures] of Object.entries(cases))
    for (const [by, { median, min, max, rounds, noisy }] of Object.entries(figures))
      table.push([
        name.replace(/, (ns|us) each$/, ''),
        by,
        name.match(/, (ns|us) each$/)?.[1] ?? unit,
        figure(median),
        figure(min),
        figure(max),
        noisy ? `${rounds} (${noisy} noisy)` : rounds,
      ]);
}

const loads = await scripts({ dir, rounds });
add(loads, 'ns');
for (const count of [16_384, 131_072])
  add(await functions({ dir, rounds: Math.min(rounds, 7), count }), 'ms');
for (const pack of [true, false])
  add(await artifacts({ dir, rounds: Math.min(rounds, 3), count: 10_000, pack }), 'ms');

const warm = Object.values(loads)[0] ?? {};
const ours = warm['ScriptCache.load']?.median ?? Number.NaN;
const plain = warm['statSync + Map']?.median ?? Number.NaN;
console.log(`${machineLine(machine(dir))}

${table.toString()}

A warm load takes ${figure(ours / plain)} times as long as statSync + Map. The goal is to take less time: ${ours < plain ? 'met' : 'MISSED'}.`);
