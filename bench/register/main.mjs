// The benchmark of warmshard/register: whole processes of real programs, started without a cache, with other caches and
// with warmshard in turn.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine } from '../lib/machine.mjs';
import { setPatience } from '../lib/measure.mjs';
import { elsewhere, keep, list, major } from '../lib/run.mjs';
import { noise } from '../report/markdown.mjs';
import { installed, MISSING } from '../setup/programs.mjs';
import { empty } from './cases/empty.mjs';
import { one } from './cases/programs.mjs';
import { typescript } from './cases/typescript.mjs';
import { verdicts } from './goals.mjs';
import { workFolder } from './lib/workspace.mjs';
import { WARMSHARD } from './modes.mjs';
import { PROGRAMS } from './programs.mjs';
import { markdown } from './report/markdown.mjs';

const HELP = `Usage: npm run bench:register -- [options]

  --quick          takes about six minutes for one version of Node.js instead of twenty-five
  --node VERSIONS  run on these versions of Node.js: 20, 22, 24, 26, separated by commas (npm run bench:nodes fetches them)
  --only CASES     run only these cases: empty, typescript, ${PROGRAMS.map(({ name }) => name.split(' ', 1)[0]).join(', ')}
  --rounds N       number of rounds of warm runs, instead of the mode's own
  --json FILE      also write the figures to a file; {node} in its name becomes the major version
  --publish        write the figures to bench/results, which the documentation and the chart are made from
  --tiny           only check that everything runs; the figures mean nothing
  --help           show this text

Build first: npm run build. Fetch the programs: npm run bench:programs. REGISTER_DOOR names a file to measure instead of
dist/register.cjs.`;

/**
 * How many rounds a run makes.
 *
 * @typedef {object} Sizes
 * @property {number} patience how many times as many are run at most when other programs disturb them
 * @property {number} empty
 * @property {number} warm
 * @property {number} first first runs of programs that are not marked `quick`
 * @property {number} firstOfQuick first runs of programs that are
 * @property {number} typescript
 */

/** @type {Record<'full' | 'quick' | 'tiny', Sizes>} */
const SIZES = {
  full: { patience: 2, empty: 201, warm: 15, first: 5, firstOfQuick: 9, typescript: 9 },
  quick: { patience: 1.5, empty: 151, warm: 9, first: 0, firstOfQuick: 5, typescript: 5 },
  tiny: { patience: 1, empty: 1, warm: 1, first: 0, firstOfQuick: 1, typescript: 1 },
};

/**
 * @typedef {import('../lib/context.mjs').Result} Result
 * @typedef {import('./modes.mjs').Mode} Mode
 *
 * @typedef {object} Suite what every case receives
 * @property {string} root folder to work in
 * @property {Sizes} sizes
 * @property {(text: string) => void} progress
 * @property {(id: string, title: string, modes: readonly Mode[], row: (mode: Mode) => Row) => void} add
 *   `row` returns the figure of a mode, or why there is none
 *
 * @typedef {import('../lib/measure.mjs').Figure | string | undefined} Row
 *
 * @typedef {object} Run
 * @property {keyof typeof SIZES} mode
 * @property {ReturnType<typeof machine>} machine
 * @property {number} rounds
 * @property {number} seconds
 * @property {Result[]} results
 * @property {import('./goals.mjs').Verdict[]} goals
 * @property {string[]} notes
 */

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    node: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    publish: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function run() {
  const started = Date.now();
  if (!installed()) throw new Error(MISSING);
  const mode = options.tiny ? 'tiny' : options.quick ? 'quick' : 'full';
  const sizes = { ...SIZES[mode] };
  sizes.warm = Number.parseInt(options.rounds ?? '', 10) || sizes.warm;
  setPatience(sizes.patience);
  const root = workFolder();
  process.on('SIGINT', () => process.exit(130));
  /** @type {Result[]} */
  const results = [];
  /** @type {Suite} */
  const suite = {
    root,
    sizes,
    progress: (text) =>
      console.error(
        `bench:register, Node.js ${process.versions.node}, ${Math.round((Date.now() - started) / 1000)} s: ${text}`,
      ),
    add: (id, title, modes, row) => {
      const rows = modes.map((one) => {
        const figure = row(one);
        return [one.name, typeof figure === 'object' ? figure : { absent: figure ?? 'not measured' }];
      });
      results.push({ id, title, unit: 'ms', rows: Object.fromEntries(rows) });
    },
  };
  const notes = [];
  if (WARMSHARD.absent !== undefined) {
    notes.push(`**Without warmshard: ${WARMSHARD.absent}**`);
    suite.progress(`without warmshard: ${WARMSHARD.absent}`);
  }
  const only = list(options.only);
  const wanted = (/** @type {string} */ name) => only?.includes(name.split(' ', 1)[0] ?? '') ?? true;
  if (wanted('empty')) await empty(suite);
  for (const program of PROGRAMS) if (wanted(program.name)) await one(suite, program);
  if (wanted('typescript')) await typescript(suite);

  const warning = noise(results);
  /** @type {Run} */
  const report = {
    mode,
    machine: machine(root),
    rounds: sizes.warm,
    seconds: (Date.now() - started) / 1000,
    results,
    goals: verdicts(results),
    notes: warning ? [...notes, warning] : notes,
  };
  console.log(markdown(report));
  const published = fileURLToPath(new URL(`../results/register-node-${major}.json`, import.meta.url));
  keep(report, [options.json, options.publish && published]);
  // A program whose output changes with warmshard is a bug, however fast it is.
  if (results.some(({ rows: { warmshard } }) => warmshard && 'absent' in warmshard && !WARMSHARD.absent))
    process.exitCode = 1;
}

if (options.help) console.log(HELP);
else if (options.node !== undefined) elsewhere(fileURLToPath(import.meta.url), list(options.node) ?? []);
else await run();
