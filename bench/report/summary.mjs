// Writes the figures of docs/benchmarks.md, between its two marks, from the published runs.
//
//   npm run bench:report

import { existsSync, readFileSync } from 'node:fs';
import { GOALS } from '../goals.mjs';
import { MAJORS } from '../setup/nodes.mjs';
import { figure, machineLine, medianOf } from './markdown.mjs';
import { writeBetween } from './marks.mjs';

const DOCUMENT = new URL('../../docs/benchmarks.md', import.meta.url);
const MARKS = /** @type {[string, string]} */ ([
  '<!-- figures: npm run bench:report -->',
  '<!-- end of figures -->',
]);
/** The major version of Node.js whose run is shown in full. */
const MAIN = '24';
/** The cases that are shown with all their rows. */
const FULL = [
  'hit 10k x 1 KiB',
  'hit 100k x 1 KiB',
  '2 workers',
  'put 10k x 1 KiB',
  'mixed 10k x 1 KiB',
  'start whole',
  'memory opened 10k x 1 KiB',
  'load',
  'seen',
  'compaction',
  'floor',
];
/** Rows that are not peers: stores in memory, the bare platform, and other rows of warmshard. */
const NO_PEER = /^(warmshard|Map|lru-cache|floor|empty|append|one write|a word|keys and values|napi_|fs\.)/;

/** @typedef {import('../main.mjs').Run} Run */

/** @type {[major: string, run: Run][]} */
const runs = MAJORS.flatMap((major) => {
  const file = new URL(`../results/node-${major}.json`, import.meta.url);
  return existsSync(file) ? [[major, JSON.parse(readFileSync(file, 'utf8'))]] : [];
});
const main = runs.find(([major]) => major === MAIN)?.[1];
if (main === undefined)
  throw new Error(`no run of Node.js ${MAIN} is published: npm run bench -- --node ${MAIN} --publish`);

/** @param {string[]} cells */
const row = (cells) => `| ${cells.join(' | ')} |`;

/** @param {Run} run */
function noisy({ results }) {
  const rows = results
    .flatMap((one) => Object.values(one.rows))
    .flatMap((one) => ('median' in one ? one : []));
  const all = rows.reduce((sum, one) => sum + one.rounds, 0);
  return Math.round((100 * rows.reduce((sum, one) => sum + one.noisy, 0)) / all);
}

const runsTable = [
  row(['Node.js', 'mode', 'rounds', 'seconds', 'noisy rounds', 'fast door']),
  row(['---', '---', '---:', '---:', '---:', '---']),
  ...runs.map(([, run]) =>
    row([
      run.machine.node,
      run.mode,
      `${run.rounds}`,
      `${Math.round(run.seconds)}`,
      `${noisy(run)} %`,
      run.fastDoor ? 'yes' : 'no',
    ]),
  ),
];

/** Every case: warmshard on each version, and the ratios of a Map and of lmdb to it. */
const across = main.results
  .filter(({ rows }) => rows.warmshard)
  .map(({ id, title, unit }) =>
    row([
      title,
      unit,
      ...runs.map(([, run]) => {
        const result = run.results.find((one) => one.id === id);
        const ours = result && medianOf(result, 'warmshard');
        if (result === undefined || ours === undefined) return '';
        const others = ['Map', 'lmdb getBinaryFast'].map((name) => medianOf(result, name));
        const ratios = others.map((other) => (other === undefined ? '-' : figure(other / ours)));
        return `**${figure(ours)}** (${ratios.join(', ')})`;
      }),
    ]),
  );

const goals = GOALS.flatMap((goal) => {
  const cells = runs.map(([, run]) => {
    const verdict = run.goals.find(({ what, by }) => what === goal.what && by === goal.by);
    return verdict ? `${figure(verdict.value)}${verdict.met ? '' : ' **missed**'}` : '-';
  });
  if (cells.every((cell) => cell === '-') && goal.by === 'door') return [];
  const by = goal.by === 'door' ? ' (fast door)' : goal.by === 'plain' ? ' (Node-API)' : '';
  return row([
    `${goal.what}${by}`,
    `${goal.side === 'most' ? '<=' : '>='} ${figure(goal.bound)} ${goal.unit}`,
    ...cells,
  ]);
});

const lost = main.results.flatMap((result) => {
  const ours = medianOf(result, 'warmshard');
  if (ours === undefined) return [];
  return Object.keys(result.rows).flatMap((name) => {
    const theirs = medianOf(result, name);
    if (NO_PEER.test(name) || theirs === undefined || theirs >= ours) return [];
    return row([
      result.title,
      name,
      `${figure(theirs)} ${result.unit}`,
      `${figure(ours)} ${result.unit}`,
      // A difference of two times can be negative because of noise; a ratio to it means nothing.
      theirs > 0 ? figure(ours / theirs) : '',
    ]);
  });
});

/** @param {string} id */
function full(id) {
  const result = main?.results.find((one) => one.id === id);
  if (result === undefined) return [];
  return [
    '',
    `**${result.title}** (${result.unit}, Node.js ${MAIN})`,
    '',
    row(['', 'median', 'min', 'max', '/ warmshard']),
    row(['---', '---:', '---:', '---:', '---:']),
    ...Object.entries(result.rows).map(([name, one]) => {
      if ('absent' in one) return row([name, one.absent, '', '', '']);
      const ours = medianOf(result, 'warmshard');
      return row([
        name,
        figure(one.median),
        figure(one.min),
        figure(one.max),
        ours ? figure(one.median / ours) : '',
      ]);
    }),
  ];
}

const versions = runs.map(([major]) => `Node ${major}`);
const text = [
  '## Results',
  '',
  `A ${machineLine(main.machine).replace(/;.*/, '')}.`,
  'A round is noisy if it counts although other programs used more than a tenth of its time.',
  '',
  ...runsTable,
  '',
  '### Goals',
  '',
  row(['goal', 'bound', ...versions]),
  row(['---', '---', ...versions.map(() => '---:')]),
  ...goals,
  '',
  '### Where others are faster',
  '',
  `Rows in which a peer that keeps its entries in files needs less time or space than warmshard, on Node.js ${MAIN}.`,
  '',
  row(['case', 'peer', 'its figure', 'warmshard', 'warmshard / peer']),
  row(['---', '---', '---:', '---:', '---:']),
  ...lost,
  '',
  '### Every case',
  '',
  'Medians of warmshard. In brackets: how many times as much a Map and lmdb (`getBinaryFast`) need in the same run.',
  '',
  row(['case', 'unit', ...versions]),
  row(['---', '---', ...versions.map(() => '---:')]),
  ...across,
  '',
  '### In full',
  ...FULL.flatMap(full),
  '',
].join('\n');

writeBetween(DOCUMENT, MARKS, `\n${text}`);
