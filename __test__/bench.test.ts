// On the day of a release the benchmark turned out to be broken.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Run } from '../bench/main.mjs';
import { folder } from './helpers/folder.js';

const main = join(__dirname, '..', 'bench', 'main.mjs');
const chart = join(__dirname, '..', 'bench', 'report', 'chart.mjs');

/** Results that a run without peers must have. */
const IDS = ['hit', 'fresh', 'zipf', 'many', 'miss'].map((task) => `${task} 100 x 64 B`);
const MORE = [
  'copies',
  'start whole',
  'disk',
  '1 reader',
  '1 workers',
  'put synced',
  'load',
  'replace',
  'seen',
  'compaction',
];

test('the whole suite runs without peers, and its results can be drawn', (t) => {
  const dir = folder(t);
  const json = join(dir, 'tiny.json');
  const suite = spawnSync(process.execPath, [main, '--tiny', '--peers', 'Map', '--json', json], {
    encoding: 'utf8',
  });
  t.is(suite.status, 0, suite.stderr);
  t.regex(suite.stdout, /\*\*warmshard\*\*/);

  const run: Run = JSON.parse(readFileSync(json, 'utf8'));
  const ids = run.results.map(({ id }) => id);
  for (const id of [...IDS, ...MORE]) t.true(ids.includes(id), `${id} is missing: ${ids}`);
  for (const { id, rows } of run.results)
    for (const [name, row] of Object.entries(rows)) {
      if (name.startsWith('warmshard'))
        t.true('median' in row && Number.isFinite(row.median), `${id}: ${name}`);
    }
  t.true(run.goals.length > 5);

  // The memory that measuring itself takes, half a MiB, must not be counted.
  const nothing = run.results.find(({ id }) => id === 'memory opened 100 x 64 B')?.rows.empty;
  t.true(nothing && 'median' in nothing && nothing.median < 128, JSON.stringify(nothing));

  const svg = join(dir, 'chart.svg');
  const drawn = spawnSync(process.execPath, [chart, json, svg], { encoding: 'utf8' });
  t.is(drawn.status, 0, drawn.stderr);
  t.regex(readFileSync(svg, 'utf8'), /^<svg/);
});
