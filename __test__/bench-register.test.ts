// A run that printed "4 passing (5ms)" instead of "(3ms)" was reported as broken, and one that lost a line was not.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { verdicts } from '../bench/register/goals.mjs';
import { modules } from '../bench/register/lib/modules.mjs';
import { Expectation, type Outcome } from '../bench/register/lib/outcome.mjs';
import type { Run } from '../bench/register/main.mjs';
import { PROGRAMS } from '../bench/register/programs.mjs';
import { markdown } from '../bench/register/report/markdown.mjs';
import { folder } from './helpers/folder.js';

const FIXTURE = join(__dirname, '..', 'bench', 'register', 'fixtures', 'project');

const outcome = (stdout: string, more: Partial<Outcome> = {}): Outcome => ({
  wall: 1,
  exit: '0',
  stdout,
  stderr: '',
  files: '',
  ...more,
});

/** An expectation from runs with these outputs, in turn; the last output is repeated. */
function expecting(...outputs: string[]): Expectation {
  let run = 0;
  return new Expectation(() => outcome(outputs[Math.min(run++, outputs.length - 1)] ?? ''));
}

test('durations are not compared, everything beside them is', (t) => {
  const expected = expecting('4 passing (3ms)\ndone');
  t.is(expected.differs(outcome('4 passing (12 ms)\ndone')), undefined);
  t.truthy(expected.differs(outcome('5 passing (3ms)\ndone')));
  t.truthy(expected.differs(outcome('4 failing (3ms)\ndone')));
  t.truthy(expected.differs(outcome('4 passing (3ms)')));
  t.truthy(expected.differs(outcome('4 passing (3ms)\ndone', { exit: '1' })));
  t.truthy(expected.differs(outcome('4 passing (3ms)\ndone', { stderr: 'a warning' })));
  t.truthy(expected.differs(outcome('4 passing (3ms)\ndone', { files: 'a.js 00' })));
});

test('what differs between two runs without warmshard is not a difference', (t) => {
  const expected = expecting('process 17, 2 files\nfolder ab', 'process 18, 2 files\nfolder cd');
  t.is(expected.differs(outcome('process 99, 2 files\nfolder ef')), undefined);
  t.truthy(expected.differs(outcome('process 99, 3 files\nfolder ef')));
});

test('before a difference is reported, the program is run again without warmshard', (t) => {
  t.is(expecting('1 of 2', '1 of 2', '1 of 3').differs(outcome('1 of 4')), undefined);
});

test('every edit of a project source keeps the length, and its text is there', (t) => {
  for (const { name, edit } of PROGRAMS) {
    const [file, from, to] = edit;
    t.is(from.length, to.length, name);
    if (!file.startsWith('node_modules/'))
      t.true(readFileSync(join(FIXTURE, file), 'utf8').includes(from), name);
  }
});

test('the generated TypeScript is the same every time, and has the announced size', (t) => {
  const [one, two] = [modules(), modules()];
  t.deepEqual(one, two);
  t.is(one.size, 301);
  const bytes = [...one.values()].reduce((sum, { length }) => sum + length, 0);
  t.true(bytes > 820_000 && bytes < 860_000, `${bytes}`);
});

const figure = (median: number) => ({ median, min: median, max: median, rounds: 1, noisy: 0, dropped: 0 });
const rows = (none: number, warmshard: number) => ({
  none: figure(none),
  'built-in': figure(80),
  'v8-compile-cache': { absent: 'broken in run 1: exit 1, not 0' },
  warmshard: figure(warmshard),
});
const run: Run = {
  mode: 'tiny',
  machine: {
    processor: 'one',
    cores: 1,
    virtual: false,
    memoryGiB: 1,
    system: 'linux 1',
    fileSystem: 'ext4',
    node: '24.0.0',
    v8: '1',
    revision: undefined,
  },
  rounds: 1,
  seconds: 1,
  results: [
    { id: 'warm tsc -p', title: 'tsc -p, warm', unit: 'ms', rows: rows(100, 25) },
    { id: 'warm eslint', title: 'eslint, warm', unit: 'ms', rows: rows(100, 100) },
    { id: 'first webpack', title: 'webpack, first run', unit: 'ms', rows: rows(100, 120) },
    { id: 'empty program', title: 'nothing', unit: 'ms', rows: rows(20, 21) },
  ],
  goals: [],
  notes: [],
};

test('goals, tables and the chart are made from a run', (t) => {
  const goals = verdicts(run.results);
  t.deepEqual(
    goals.map(({ value, met }) => [Number(value.toFixed(3)), met]),
    [
      [0.5, true],
      [0.625, false],
      [1.25, false],
      [1, true],
      [1.2, false],
    ],
  );
  const text = markdown({ ...run, goals });
  t.regex(text, /\| tsc -p \| CommonJS \| 100 \(100-100\) \| 0\.80 \(.*\) \| breaks \| \*\*0\.25\*\*/);
  t.regex(text, /tsc -p, warm: v8-compile-cache: broken in run 1/);

  const dir = folder(t);
  writeFileSync(join(dir, 'run.json'), JSON.stringify(run));
  const chart = join(__dirname, '..', 'bench', 'register', 'report', 'chart.mjs');
  const drawn = spawnSync(process.execPath, [chart, join(dir, 'run.json'), join(dir, 'chart.svg')], {
    encoding: 'utf8',
  });
  t.is(drawn.status, 0, drawn.stderr);
  t.regex(readFileSync(join(dir, 'chart.svg'), 'utf8'), /^<svg/);
});
