// Writes the tables of the published runs (bench/results/node-*.json) into docs/benchmarks.md and README.md, between the
// marks that are there for them.
//
//   npm run bench:tables

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { caseTable, figure, machineLine, medianOf } from './markdown.mjs';

const root = new URL('../../', import.meta.url);
const results = new URL('bench/results/', root);
const LEADING = '24';

/** @type {[major: string, run: import('../main.mjs').Run][]} */
const runs = readdirSync(results)
  .flatMap((name) => /^node-(\d+)\.json$/.exec(name)?.[1] ?? [])
  .sort((a, b) => Number(a) - Number(b))
  .map((major) => [major, JSON.parse(readFileSync(new URL(`node-${major}.json`, results), 'utf8'))]);

/** Lines of the table over all versions: a case, and the row to show. @type {[what: string, id: string, row: string][]} */
const LINES = [
  ['hit, 10k', 'hit 10k x 1 KiB', 'warmshard'],
  ['... through Node-API', 'hit 10k x 1 KiB', 'warmshard, Node-API'],
  ['... the bare floor of Node-API, with a view', 'hit 10k x 1 KiB', 'floor'],
  ['... Map', 'hit 10k x 1 KiB', 'Map'],
  ['... lmdb getBinaryFast', 'hit 10k x 1 KiB', 'lmdb getBinaryFast'],
  ['hit, 100k', 'hit 100k x 1 KiB', 'warmshard'],
  ['... Map', 'hit 100k x 1 KiB', 'Map'],
  ['... lmdb getBinaryFast', 'hit 100k x 1 KiB', 'lmdb getBinaryFast'],
  ['hit by a string just made, 100k', 'fresh 100k x 1 KiB', 'warmshard'],
  ['... Map', 'fresh 100k x 1 KiB', 'Map'],
  ['miss, 10k', 'miss 10k x 1 KiB', 'warmshard'],
  ['... Map', 'miss 10k x 1 KiB', 'Map'],
  ['hit, copied, 10k', 'copies', 'warmshard, copy'],
  ['ScriptCache.load', 'sources', 'warmshard ScriptCache.load'],
  ['... fs.statSync and Map', 'sources', 'fs.statSync and Map'],
  ['put, not synced, 10k', 'put 10k x 1 KiB', 'warmshard'],
  ['... lmdb', 'put 10k x 1 KiB', 'lmdb getBinaryFast'],
  ['put, synced', 'put synced', 'warmshard'],
  ['... append and fdatasync', 'put synced', 'append of 1 KiB and fdatasync'],
  ['a batch of 100k into a new store', 'load', 'warmshard'],
  ['require', 'start required', 'warmshard'],
  ['open and first get, fresh process', 'start opened', 'warmshard'],
];

/** @param {import('../main.mjs').Run} run @param {string} id */
const found = (run, id) => run.results.find((result) => result.id === id);

function versions() {
  const head = `| | unit | ${runs.map(([major]) => `Node.js ${major}`).join(' | ')} |`;
  const lines = LINES.map(([what, id, row]) => {
    const cells = runs.map(([, run]) => {
      const result = found(run, id);
      const median = result && medianOf(result, row);
      return median === undefined ? 'absent' : figure(median);
    });
    const unit = runs.map(([, run]) => found(run, id)?.unit).find((known) => known !== undefined);
    return `| ${what} | ${unit} | ${cells.join(' | ')} |`;
  });
  return [head, `| --- | --- | ${runs.map(() => '---: | ').join('')}`.trimEnd(), ...lines].join('\n');
}

function goals() {
  const [, leading] = runs.find(([major]) => major === LEADING) ?? [];
  if (leading === undefined) return '';
  const head = `| goal | by | bound | ${runs.map(([major]) => `Node.js ${major}`).join(' | ')} |`;
  const lines = leading.goals.map((goal) => {
    const cells = runs.map(([, run]) => {
      const own = run.goals.find(({ what, by }) => what === goal.what && by === goal.by);
      if (own === undefined || Number.isNaN(own.value) || own.value === null) return 'absent';
      return own.met ? figure(own.value) : `**${figure(own.value)}**`;
    });
    const by = goal.by === 'door' ? 'fast door' : goal.by === 'plain' ? 'Node-API' : '';
    return `| ${goal.what} | ${by} | ${goal.side === 'most' ? '<=' : '>='} ${figure(goal.bound)} ${goal.unit} | ${cells.join(' | ')} |`;
  });
  return [head, `| --- | --- | ---: | ${runs.map(() => '---: | ').join('')}`.trimEnd(), ...lines].join('\n');
}

/** @param {string} file @param {string} mark @param {string} text */
function insert(file, mark, text) {
  const path = new URL(file, root);
  const old = readFileSync(path, 'utf8');
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`];
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${fileURLToPath(path)} has no place marked ${begin}`);
  writeFileSync(path, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}

const [, leading] = runs.find(([major]) => major === LEADING) ?? [];
if (leading === undefined) throw new Error(`no published run of Node.js ${LEADING}`);
insert('docs/benchmarks.md', 'versions', versions());
insert('docs/benchmarks.md', 'goals', goals());
insert('docs/benchmarks.md', 'cases', leading.results.map((result) => caseTable(result)).join('\n\n'));

/** @param {string} id @param {string} row */
const cell = (id, row) => {
  const result = found(leading, id);
  const median = result && medianOf(result, row);
  return median === undefined ? '' : `${figure(median)} ${result?.unit}`;
};
/** @param {string} what @param {string} id @param {string} [ours] */
const line = (what, id, ours = 'warmshard') => {
  const result = found(leading, id);
  const [a, b] = [result && medianOf(result, ours), result && medianOf(result, 'lmdb getBinaryFast')];
  const ratio = a === undefined || b === undefined ? '' : figure(b / a);
  return `| ${what} | ${cell(id, 'Map')} | **${cell(id, ours)}** | ${cell(id, 'lmdb getBinaryFast')} | ${ratio} |`;
};
insert(
  'README.md',
  'measured',
  [
    `One quick run on a ${machineLine(leading.machine)}; 60-character keys, 1 KiB values,`,
    'medians of interleaved rounds, page cache warm. `npm run bench -- --quick` reproduces it; absolute figures move with the machine, the',
    'ratios less. [All peers, Node.js 20 to 26, and the rows we lose](docs/benchmarks.md).',
    '',
    '| | Map in memory | warmshard | lmdb (`getBinaryFast`) | lmdb / warmshard |',
    '| --- | ---: | ---: | ---: | ---: |',
    line('hit, 10,000 entries', 'hit 10k x 1 KiB'),
    line('... through Node-API alone', 'hit 10k x 1 KiB', 'warmshard, Node-API'),
    line('hit, 100,000 entries', 'hit 100k x 1 KiB'),
    line('hit by a string that was just made, 10,000', 'fresh 10k x 1 KiB'),
    line('hit by a string that was just made, 100,000', 'fresh 100k x 1 KiB'),
    line('miss, 10,000', 'miss 10k x 1 KiB'),
    line('the same hit copied instead of lent (`copy: true`)', 'copies', 'warmshard, copy'),
    line('put, not synced, into 10,000', 'put 10k x 1 KiB'),
    line('put, not synced, into 1,000,000 of 64 bytes', 'put 1M x 64 B'),
    line(
      `put, synced; append and \`fdatasync\` take ${cell('put synced', 'append of 1 KiB and fdatasync')}`,
      'put synced',
    ),
    line('100,000 entries in one batch', 'load'),
    line('`require`', 'start required'),
    line('open and first get in a fresh process', 'start opened'),
    line('a put seen by another process, after it returned', 'seen'),
  ].join('\n'),
);
