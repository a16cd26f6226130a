// Draws docs/register-benchmarks.svg from a published run: a bar for each mode.
//
//   npm run bench:register:report                            from bench/results/register-node-24.json
//   node bench/register/report/chart.mjs RESULTS.json FILE.svg

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { draw } from '../../report/draw.mjs';
import { machineLine, medianOf } from '../../report/markdown.mjs';
import { firstOf, warmOf } from '../cases/programs.mjs';
import { SECOND } from '../cases/typescript.mjs';
import { geometric, ratios } from '../goals.mjs';

const [, , from, to] = process.argv;
const SOURCE = from ?? fileURLToPath(new URL('../../results/register-node-24.json', import.meta.url));
const TARGET = to ?? fileURLToPath(new URL('../../../docs/register-benchmarks.svg', import.meta.url));

const PANELS = [
  { id: warmOf('eslint'), title: 'eslint, warm' },
  { id: warmOf('webpack'), title: 'webpack, warm' },
  { id: warmOf('tsc -p'), title: 'tsc -p, six files, warm' },
  { id: firstOf('webpack'), title: 'webpack, first run' },
  { id: SECOND, title: '300 TypeScript files, second run' },
];

/** @type {import('../main.mjs').Run} */
const run = JSON.parse(readFileSync(SOURCE, 'utf8'));

/** Geometric means over the programs that run in every mode, so that all modes are compared over the same programs. */
function means() {
  const all = ['none', 'built-in', 'warmshard'].map((name) => ({
    name,
    of: ratios(run.results, name, ['none']),
  }));
  const common = all
    .map(({ of }) => of.map(({ name }) => name))
    .reduce((names, others) => names.filter((name) => others.includes(name)));
  const bars = all.map(({ name, of }) => ({
    name,
    median: geometric(of.filter((one) => common.includes(one.name)).map(({ ratio }) => ratio)),
  }));
  const title = `Warm, ${common.length} programs, geometric mean of the times compared with no cache`;
  return common.length === 0 ? [] : [{ title, unit: 'x', bars }];
}

const panels = PANELS.flatMap(({ id, title }) => {
  const result = run.results.find((one) => one.id === id);
  if (result === undefined) return [];
  const bars = Object.keys(result.rows)
    .map((name) => ({ name, median: medianOf(result, name) ?? 0 }))
    .filter(({ median }) => median > 0);
  return bars.length === 0 ? [] : [{ title: `${title} (${result.unit})`, unit: result.unit, bars }];
});
const footer = `Wall time of whole processes, medians, shorter is better; a ${machineLine(run.machine)}`;
const limits = /^(none|precompiled)/;
writeFileSync(TARGET, draw([...means(), ...panels], { footer, limits, scale: 'value', left: 270 }));
