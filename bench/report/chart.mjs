// Draws docs/benchmarks.svg from a published run: for each of four cases a bar per peer, on a scale of powers of ten.
//
//   npm run bench:report                            from bench/results/node-24.json
//   node bench/report/chart.mjs RESULTS.json FILE.svg

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { init } from 'echarts';
import { figure, machineLine, medianOf } from './markdown.mjs';

const [, , from, to] = process.argv;
const SOURCE = from ?? fileURLToPath(new URL('../results/node-24.json', import.meta.url));
const TARGET = to ?? fileURLToPath(new URL('../../docs/benchmarks.svg', import.meta.url));

const PANELS = [
  { id: 'hit 10k x 1 KiB', title: 'Hit, 10,000 entries of 1 KiB' },
  { id: 'hit 100k x 1 KiB', title: 'Hit, 100,000 entries of 1 KiB' },
  { id: 'put 10k x 1 KiB', title: 'Put of 1 KiB, not synced' },
  { id: 'start whole', title: 'Cold start: a process that gets one value, over an empty one' },
];
/** Rows that no reader chooses between. */
const HIDDEN = /^empty$|dlopen|, 1M|Node-API$/;

// Grey enough to be read on white and on black alike.
const TEXT = '#7d8590';
const COLOURS = { us: '#e8590c', limit: '#9aa4af', peer: '#4c8dae' };
const WIDTH = 880;
const ROW = 19;
const HEAD = 34;
const GAP = 22;

/** @type {import('../main.mjs').Run} */
const run = JSON.parse(readFileSync(SOURCE, 'utf8'));

/** Where a panel's bars begin: at half of the smallest, for a bar needs some length. @param {readonly { median: number }[]} bars */
const least = (bars) => Math.min(...bars.map(({ median }) => median)) / 2;

/** @param {string} name */
function colour(name) {
  if (name.startsWith('warmshard')) return COLOURS.us;
  return /^(Map|lru-cache|floor|append)/.test(name) ? COLOURS.limit : COLOURS.peer;
}

const panels = PANELS.flatMap(({ id, title }) => {
  const result = run.results.find((one) => one.id === id);
  if (result === undefined) return [];
  const bars = Object.keys(result.rows)
    .map((name) => ({ name, median: medianOf(result, name) ?? 0 }))
    .filter(({ name, median }) => median > 0 && !HIDDEN.test(name))
    .sort((a, b) => b.median - a.median);
  return { title: `${title} (${result.unit})`, unit: result.unit, bars };
});

let top = 8;
const places = panels.map(({ bars }) => {
  const place = { top: top + HEAD - 8, height: bars.length * ROW };
  top += HEAD + place.height + GAP - 8;
  return place;
});
const height = top + 24;

const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
chart.setOption({
  animation: false,
  textStyle: { fontFamily: 'system-ui, sans-serif', color: TEXT },
  title: [
    ...panels.map(({ title }, i) => ({
      text: title,
      left: 8,
      top: (places[i]?.top ?? 0) - 24,
      textStyle: { fontSize: 14, color: TEXT },
    })),
    {
      text: `Medians, shorter is better, scale of powers of ten; a ${machineLine(run.machine)}`,
      left: 8,
      top: height - 22,
      textStyle: { fontSize: 11, fontWeight: 'normal', color: TEXT },
    },
  ],
  grid: places.map((place) => ({ left: 160, right: 80, ...place })),
  xAxis: panels.map(({ bars }, gridIndex) => ({
    gridIndex,
    type: 'log',
    min: least(bars),
    // Bars would begin at 1, and those of less point to the left.
    startValue: least(bars),
    show: false,
  })),
  yAxis: panels.map(({ bars }, gridIndex) => ({
    gridIndex,
    type: 'category',
    data: bars.map(({ name }) => name),
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: {
      color: TEXT,
      fontSize: 12,
      interval: 0,
      formatter: (/** @type {string} */ name) => (name === 'warmshard' ? '{us|warmshard}' : name),
      rich: { us: { color: COLOURS.us, fontWeight: 'bold', fontSize: 12 } },
    },
  })),
  series: panels.map(({ bars, unit }, i) => ({
    type: 'bar',
    xAxisIndex: i,
    yAxisIndex: i,
    barWidth: 12,
    data: bars.map(({ name, median }) => ({ value: median, itemStyle: { color: colour(name) } })),
    label: {
      show: true,
      position: 'right',
      color: TEXT,
      fontSize: 12,
      formatter: (/** @type {{ value?: unknown }} */ { value }) => `${figure(Number(value))} ${unit}`,
    },
  })),
});
writeFileSync(TARGET, `${chart.renderToSVGString()}\n`);
chart.dispose();
