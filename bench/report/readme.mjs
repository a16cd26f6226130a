// Writes the measured table of README.md, between its two marks, from the published run of Node.js 24.
//
//   npm run bench:report

import { readFileSync } from 'node:fs';
import { figure, machineLine, medianOf } from './markdown.mjs';
import { writeBetween } from './marks.mjs';

const README = new URL('../../README.md', import.meta.url);
const RUN = new URL('../results/node-24.json', import.meta.url);
const LMDB = 'lmdb getBinaryFast';

/** @type {import('../main.mjs').Run} */
const run = JSON.parse(readFileSync(RUN, 'utf8'));

/** @param {string} id @param {string} row */
function median(id, row) {
  const result = run.results.find((one) => one.id === id);
  return result && medianOf(result, row);
}

/** @param {string} id @param {string} row */
function cell(id, row) {
  const value = median(id, row);
  return value === undefined ? '' : `${figure(value)} ${run.results.find((one) => one.id === id)?.unit}`;
}

/** A line of the table. @param {string} what @param {string} id of the case @param {string} [ours] the row of warmshard to show */
function line(what, id, ours = 'warmshard') {
  const [us, them] = [median(id, ours), median(id, LMDB)];
  const ratio = us === undefined || them === undefined ? '' : figure(them / us);
  return `| ${what} | ${cell(id, 'Map')} | **${cell(id, ours)}** | ${cell(id, LMDB)} | ${ratio} |`;
}

const text = [
  `Medians of interleaved rounds, from one quick run on a ${machineLine(run.machine)}.`,
  'Keys have 60 characters, values 1 KiB; the page cache is warm. `npm run bench -- --quick` reproduces it; absolute figures depend on',
  'the machine, ratios less so. [All peers, Node.js 20 to 26, and where others are faster](docs/benchmarks.md).',
  '',
  '| | Map in memory | warmshard | lmdb (`getBinaryFast`) | lmdb / warmshard |',
  '| --- | ---: | ---: | ---: | ---: |',
  line('hit, 10,000 entries', 'hit 10k x 1 KiB'),
  line('... without the fast door, through Node-API', 'hit 10k x 1 KiB', 'warmshard, Node-API'),
  line('hit, 100,000 entries', 'hit 100k x 1 KiB'),
  line('hit by a new string, 10,000 entries', 'fresh 10k x 1 KiB'),
  line('hit by a new string, 100,000 entries', 'fresh 100k x 1 KiB'),
  line('miss, 10,000 entries', 'miss 10k x 1 KiB'),
  line('hit, value copied instead of lent (`copy: true`), 10,000 entries', 'copies', 'warmshard, copy'),
  line('put, not synced, into 10,000 entries', 'put 10k x 1 KiB'),
  line('put, not synced, into 1,000,000 entries of 64 bytes', 'put 1M x 64 B'),
  line(
    `put, synced (an append and \`fdatasync\` alone take ${cell('put synced', 'append of 1 KiB and fdatasync')})`,
    'put synced',
  ),
  line('100,000 entries in one batch', 'load'),
  line('`require`', 'start required'),
  line('open and first get in a fresh process', 'start opened'),
  line('until another process sees a put that has returned', 'seen'),
].join('\n');

writeBetween(README, ['<!-- measured -->', '<!-- end of measured -->'], text);
