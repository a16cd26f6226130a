// The benchmark: warmshard beside its peers, a Map, and the bare platform. Compare ratios within one run; absolute
// figures depend on the machine.

import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { verdicts } from './goals.mjs';
import { Context } from './lib/context.mjs';
import { machine } from './lib/machine.mjs';
import { elsewhere, keep, list, major } from './lib/run.mjs';
import { fastDoor } from './peers/doors.mjs';
import { PEERS } from './peers/index.mjs';
import { markdown, noise } from './report/markdown.mjs';
import { SIZES } from './sizes.mjs';

const CASES = [
  'floor',
  'lookups',
  'copies',
  'sources',
  'starts',
  'memory',
  'readers',
  'workers',
  'puts',
  'batches',
  'seen',
  'compaction',
];

const HELP = `Usage: npm run bench -- [options]

  --quick          takes less than three minutes instead of more than an hour
  --node VERSIONS  run on these versions of Node.js: 20, 22, 24, 26, separated by commas (npm run bench:nodes fetches them)
  --only CASES     run only these cases: ${CASES.join(', ')}
  --peers NAMES    run only these peers: ${Object.keys(PEERS).join(', ')}; or none
  --rounds N       number of rounds, instead of the mode's own
  --json FILE      also write the figures to a file; {node} in its name becomes the major version
  --publish        write the figures to bench/results, which the documentation and the chart are made from
  --tiny           only check that everything runs; the figures mean nothing
  --help           show this text

Build first: npm run build. The rows of the floor and of keyv also need: npm run bench:addons`;

/**
 * @typedef {object} Run
 * @property {'full' | 'quick' | 'tiny'} mode
 * @property {ReturnType<typeof machine>} machine
 * @property {boolean} fastDoor
 * @property {number} rounds
 * @property {number} seconds
 * @property {import('./lib/context.mjs').Result[]} results
 * @property {import('./goals.mjs').Verdict[]} goals
 * @property {string[]} notes
 */

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    node: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    publish: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function run() {
  const started = Date.now();
  const mode = options.tiny ? 'tiny' : options.quick ? 'quick' : 'full';
  const rounds = Number.parseInt(options.rounds ?? '', 10) || SIZES[mode].rounds;
  const root = mkdtempSync(join(tmpdir(), 'warmshard-bench-'));
  process.on('SIGINT', () => process.exit(130));
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  const { bavail, bsize } = statfsSync(root);
  if (mode === 'full' && bavail * bsize < 24 * 2 ** 30)
    throw new Error(`${root} needs 24 GiB free for the full run; TMPDIR chooses another disk`);
  const context = new Context({
    root,
    sizes: { ...SIZES[mode], rounds },
    peers: list(options.peers),
    progress: (text) =>
      console.error(
        `bench, Node.js ${process.versions.node}, ${Math.round((Date.now() - started) / 1000)} s: ${text}`,
      ),
  });
  const only = list(options.only);
  for (const name of CASES)
    if (only?.includes(name) ?? true) {
      const one = await import(`./cases/${name}.mjs`);
      await one.run(context);
    }
  const { results, notes } = context;
  const warning = noise(results);
  /** @type {Run} */
  const report = {
    mode,
    machine: machine(root),
    fastDoor: fastDoor(),
    rounds,
    seconds: (Date.now() - started) / 1000,
    results,
    goals: verdicts(results, fastDoor()),
    notes: warning ? [...notes, warning] : notes,
  };
  console.log(markdown(report));
  const published = fileURLToPath(new URL(`results/node-${major}.json`, import.meta.url));
  keep(report, [options.json, options.publish && published]);
}

if (options.help) console.log(HELP);
else if (options.node !== undefined) elsewhere(fileURLToPath(import.meta.url), list(options.node) ?? []);
else await run();
