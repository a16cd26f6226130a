// The smoke benchmark: where warmshard stands beside a Map, lmdb and the bare platform, in about two minutes.
//
// It is for seeing at once what a change did. Ratios within one run count; absolute figures move with the machine.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bulk } from './cases/bulk.mjs';
import { floorCalls } from './cases/floor.mjs';
import { lookups } from './cases/lookups.mjs';
import { makeMillion, millionRefused } from './cases/million.mjs';
import { opens } from './cases/open.mjs';
import { makeSmall, puts } from './cases/puts.mjs';
import { visibility } from './cases/visible.mjs';
import { caseTable, hardware, noise, verdictTable } from './report.mjs';
import { verdicts } from './targets.mjs';

const HELP = `Usage: npm run bench:smoke -- [options]

  --rounds N      rounds of each contender (default 9)
  --skip-million  leave out the shard of a million entries (1.2 GB in the temporary folder)
  --only WORDS    of lookups, puts, opens, bulk, visible, floor: these, separated by commas
  --json FILE     also write the figures to a file
  --help          this

The floor addon's rows appear once it is built: npm run bench:floor:build`;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    'skip-million': { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = Math.max(1, Number.parseInt(options.rounds, 10) || 1);
const only = options.only?.split(',');
const wanted = (/** @type {string} */ name) => only?.includes(name) ?? true;
const progress = (/** @type {string} */ text) => console.error(`smoke: ${text}`);

/** @type {import('./targets.mjs').Case[]} */
const cases = [];
/** @type {string[]} */
const notes = [];
/** @param {string} name @param {string} unit @param {import('./measure.mjs').Figures} figures */
const add = (name, unit, figures) => cases.push({ name, unit, figures });

/** Puts and opens, which share the stores. @param {string} dir */
async function storesOnDisk(dir) {
  const { stores, paths } = makeSmall(dir);
  const refused = options['skip-million'] ? 'left out' : millionRefused(dir);
  if (refused) notes.push(`A million entries: ${refused}.`);
  else {
    const path = join(dir, 'million.shard');
    const store = makeMillion(path, (done) => progress(`made ${done.toLocaleString('en')} entries`));
    stores['warmshard, 1M'] = store;
    paths['warmshard, 1M'] = { peer: 'warmshard', path };
  }
  if (wanted('puts')) {
    progress('puts');
    add('put', 'ns', await puts({ stores, dir, rounds }));
  }
  for (const store of Object.values(stores)) store.close();
  if (!wanted('opens')) return;
  progress('opens in fresh processes');
  const costs = await opens({ stores: paths, rounds: Math.max(15, rounds) });
  add('require', 'us', costs.required);
  add('open + first get', 'us', costs.opened);
  add('require to first get', 'us', costs.total);
  add('resident memory of open', 'KiB', costs.rss);
  add('anonymous memory of open', 'KiB', costs.anonymous);
}

/** @param {string} dir */
async function run(dir) {
  if (wanted('lookups'))
    for (const count of [10_000, 100_000]) {
      progress(`look-ups, ${count.toLocaleString('en')} entries`);
      for (const [name, figures] of Object.entries(await lookups({ dir, count, rounds })))
        add(name, 'ns', figures);
    }
  if (wanted('puts') || wanted('opens')) await storesOnDisk(dir);
  if (wanted('bulk')) {
    progress('batches');
    add('16,384 x 4 KiB in one batch', 'ms', await bulk({ dir, rounds }));
  }
  if (wanted('visible')) {
    progress('puts seen by another process');
    add('put seen by another process', 'us', await visibility({ dir, puts: 200 }));
  }
  if (wanted('floor')) {
    progress('the floor');
    const figures = await floorCalls({ rounds });
    if (figures) add('floor: call', 'ns', figures);
    else notes.push('The floor addon is not built: npm run bench:floor:build.');
  }
}

const started = Date.now();
const dir = mkdtempSync(join(tmpdir(), 'warmshard-smoke-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
await run(dir);

const judged = verdicts(cases);
const warning = noise(cases);
if (warning) notes.push(warning);
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`${hardware()}; ${rounds} interleaved rounds, ${seconds} s

60-character keys, 1 KiB values, warm page cache, nothing synced. Medians. Rounds that other processes disturbed are
dropped and repeated; "noisy" ones count for want of better. Keys are string objects that the Map has seen before
unless the case says fresh.

${caseTable(cases)}

${verdictTable(judged)}
${notes.map((note) => `\n${note}`).join('')}`);
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ hardware: hardware(), rounds, cases, verdicts: judged, notes }, null, 2)}\n`,
  );
