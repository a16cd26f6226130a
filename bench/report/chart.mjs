// Draws docs/benchmarks.svg from a published run: four cases, a bar for each peer, on a logarithmic scale.
//
//   npm run bench:report                            from bench/results/node-24.json
//   node bench/report/chart.mjs RESULTS.json FILE.svg

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { draw } from './draw.mjs';
import { machineLine, medianOf } from './markdown.mjs';

const [, , from, to] = process.argv;
const SOURCE = from ?? fileURLToPath(new URL('../results/node-24.json', import.meta.url));
const TARGET = to ?? fileURLToPath(new URL('../../docs/benchmarks.svg', import.meta.url));

const PANELS = [
  { id: 'hit 10k x 1 KiB', title: 'Hit, 10,000 entries of 1 KiB' },
  { id: 'hit 100k x 1 KiB', title: 'Hit, 100,000 entries of 1 KiB' },
  { id: 'put 10k x 1 KiB', title: 'Put of 1 KiB, not synced' },
  { id: 'start whole', title: 'Cold start: a process that gets one value, minus an empty one' },
];
/** Rows that are not a choice for users of a cache. */
const HIDDEN = /^empty$|dlopen|, 1M|Node-API$/;

/** @type {import('../main.mjs').Run} */
const run = JSON.parse(readFileSync(SOURCE, 'utf8'));

const panels = PANELS.flatMap(({ id, title }) => {
  const result = run.results.find((one) => one.id === id);
  if (result === undefined) return [];
  const bars = Object.keys(result.rows)
    .map((name) => ({ name, median: medianOf(result, name) ?? 0 }))
    .filter(({ name, median }) => median > 0 && !HIDDEN.test(name));
  return { title: `${title} (${result.unit})`, unit: result.unit, bars };
});
const footer = `Medians, shorter is better, logarithmic scale; a ${machineLine(run.machine)}`;
writeFileSync(TARGET, draw(panels, { footer, limits: /^(Map|lru-cache|floor|append)/ }));
