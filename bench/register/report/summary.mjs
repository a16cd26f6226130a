// Writes the figures of docs/register-benchmarks.md, between its two marks, from the published runs.
//
//   npm run bench:register:report

import { existsSync, readFileSync } from 'node:fs';
import { figure, machineLine } from '../../report/markdown.mjs';
import { writeBetween } from '../../report/marks.mjs';
import { MAJORS } from '../../setup/nodes.mjs';
import { GOALS } from '../goals.mjs';
import { PROGRAMS } from '../programs.mjs';
import { tables } from './markdown.mjs';

const DOCUMENT = new URL('../../../docs/register-benchmarks.md', import.meta.url);
const MARKS = /** @type {[string, string]} */ ([
  '<!-- figures: npm run bench:register:report -->',
  '<!-- end of figures -->',
]);

/** @typedef {import('../main.mjs').Run} Run */

/** @type {[major: string, run: Run][]} */
const runs = MAJORS.flatMap((major) => {
  const file = new URL(`../../results/register-node-${major}.json`, import.meta.url);
  return existsSync(file) ? [[major, JSON.parse(readFileSync(file, 'utf8'))]] : [];
});
const [first] = runs;
if (first === undefined) throw new Error('no run is published: npm run bench:register -- --publish');

/** @param {string[]} cells */
const row = (cells) => `| ${cells.join(' | ')} |`;

const goals = GOALS.map(({ what, unit, bound }) =>
  row([
    what,
    `<= ${figure(bound)} ${unit}`,
    ...runs.map(([, run]) => {
      const verdict = run.goals.find((one) => one.what === what);
      return verdict ? `${figure(verdict.value)}${verdict.met ? '' : ' **behind**'}` : '-';
    }),
  ]),
);

const runsTable = runs.map(([, run]) =>
  row([run.machine.node, run.mode, `${run.rounds}`, `${Math.round(run.seconds)}`, run.notes.join(' ')]),
);

const text = [
  '',
  '## Results',
  '',
  '![How long programs take to start without a cache, with others, and with warmshard](register-benchmarks.svg)',
  '',
  `A ${machineLine(first[1].machine).replace(/;.*/, '')}; ${PROGRAMS.length} programs.`,
  '',
  row(['Node.js', 'mode', 'warm rounds', 'seconds', '']),
  row(['---', '---', '---:', '---:', '---']),
  ...runsTable,
  '',
  '### Goals',
  '',
  row(['goal', 'bound', ...runs.map(([major]) => `Node ${major}`)]),
  row(['---', '---', ...runs.map(() => '---:')]),
  ...goals,
  ...runs.flatMap(([, run]) => ['', `### Node.js ${run.machine.node}`, '', tables(run)]),
  '',
].join('\n');

writeBetween(DOCUMENT, MARKS, text);

// The README shows one version: the newest that is supported for long.
const shown = runs.find(([major]) => major === '24') ?? first;
writeBetween(
  new URL('../../../README.md', import.meta.url),
  ['<!-- measured register -->', '<!-- end of measured register -->'],
  [
    'Programs as they are, started without any cache, with caches, and with `warmshard/register` ([all tables, and the rows we lose](docs/register-benchmarks.md)):',
    '',
    '![How long programs take to start without a cache, with others, and with warmshard](docs/register-benchmarks.svg)',
    '',
    row([`Node.js ${shown[1].machine.node}`, 'measured', 'goal']),
    row(['---', '---:', '---:']),
    ...shown[1].goals.map((goal) =>
      row([
        goal.what,
        `${figure(goal.value)} ${goal.unit}${goal.met ? '' : ' **behind**'}`,
        `<= ${figure(goal.bound)} ${goal.unit}`,
      ]),
    ),
  ].join('\n'),
);
