// Writes the figures of docs/register-benchmarks.md, between its two marks, from the published runs.
//
//   npm run bench:register:report

import { existsSync, readFileSync } from 'node:fs';
import { figure, machineLine, medianOf } from '../../report/markdown.mjs';
import { writeBetween } from '../../report/marks.mjs';
import { MAJORS } from '../../setup/nodes.mjs';
import { EMPTY } from '../cases/empty.mjs';
import { warmOf } from '../cases/programs.mjs';
import { SECOND } from '../cases/typescript.mjs';
import { GOALS, geometric, ratios } from '../goals.mjs';
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
      return verdict ? `${figure(verdict.value)}${verdict.met ? '' : ' **missed**'}` : '-';
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
  row(['Node.js', 'run', 'warm rounds', 'seconds', 'notes']),
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

// The README shows one version: the newest one with long-term support.
const shown = (runs.find(([major]) => major === '24') ?? first)[1];

/** The modes in the README's table: no cache, the cache of Node.js itself, and ours. */
const COMPARED = ['none', 'built-in', 'warmshard'];

/** @param {string} id @param {string[]} names */
const medians = (id, names) => {
  const result = shown.results.find((one) => one.id === id);
  return names.map((name) => (result ? medianOf(result, name) : undefined));
};

/** Figures as cells; the last one is that of warmshard. @param {(number | undefined)[]} all @param {string} unit */
const cells = (all, unit) =>
  all.map((one, index) => {
    const text = one === undefined ? '' : `${figure(one)} ${unit}`;
    return index === all.length - 1 ? `**${text}**` : text;
  });

const programs = PROGRAMS.map(({ name }) => row([name, ...cells(medians(warmOf(name), COMPARED), 'ms')]));
const mean = COMPARED.map((mode) =>
  geometric(ratios(shown.results, mode, ['none']).map(({ ratio }) => ratio)),
);
const [tsx, plain, ours] = cells(medians(SECOND, ['tsx', 'precompiled JavaScript', 'warmshard']), 'ms');
const met = shown.goals.filter((goal) => goal.met).length;

writeBetween(
  new URL('../../../README.md', import.meta.url),
  ['<!-- measured register -->', '<!-- end of measured register -->'],
  [
    'Wall time of whole, unchanged programs from their second run on, medians of interleaved rounds. `npm run bench:register -- --quick` reproduces it.',
    `[First runs, other caches, Node.js ${runs.map(([major]) => major).join(', ')}, and the goals, of which ${met} of ${shown.goals.length} are met](docs/register-benchmarks.md).`,
    '',
    '![How long programs take to start without a cache, with others, and with warmshard](docs/register-benchmarks.svg)',
    '',
    row([`Node.js ${shown.machine.node}`, 'no cache', "Node.js' own cache", '`warmshard/register`']),
    row(['---', '---:', '---:', '---:']),
    ...programs,
    row(['geometric mean, compared with no cache', ...cells(mean, 'x')]),
    row(['a program that does nothing', ...cells(medians(EMPTY, COMPARED), 'ms')]),
    '',
    `A program of 300 TypeScript files takes ${ours} from its second run on. Compiled to JavaScript beforehand it takes ${plain}, run by tsx ${tsx}.`,
  ].join('\n'),
);
