// What a cache adds to a process that gets one value and ends: the wall time of the whole process minus that of an empty
// one started right before it; the time to load the module; and the time of open and the first get. The files are in the
// page cache.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, reason } from '../lib/contenders.mjs';
import { keyOf, label } from '../lib/data.mjs';
import { sample, summary } from '../lib/measure.mjs';
import { folderOf } from '../lib/stores.mjs';
import { leftOut } from '../peers/index.mjs';

const CHILD = fileURLToPath(new URL('../start.cjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const STARTERS = [
  'warmshard',
  'lmdb getBinaryFast',
  'better-sqlite3',
  'node:sqlite',
  'classic-level',
  'one file per entry',
  'flat-cache',
  'keyv + sqlite',
  'cacache',
];
const WHAT = /** @type {const} */ ({
  over: ['a process that gets one value, minus an empty one', 'ms'],
  required: ['loading the module', 'us'],
  opened: ['open and first get, in a fresh process', 'us'],
});

/** @typedef {{ whole: number, required: number, opened: number, private: number }} Costs ms, us, us, KiB */
/** @typedef {Costs & { over: number }} Paired `over`: ms more than an empty process */

/** @param {string[]} args for start.cjs @returns {Costs} */
export function start(...args) {
  const started = process.hrtime.bigint();
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [CHILD, ...args], {
    encoding: 'utf8',
  });
  const whole = Number(process.hrtime.bigint() - started) / 1e6;
  if (status !== 0) throw new Error(signal ?? /^\w*Error.*$/m.exec(stderr)?.[0] ?? `code ${status}`);
  return { whole, ...JSON.parse(stdout) };
}

/** Path of the addon, if this checkout has built it. */
function addon() {
  const name = readdirSync(ROOT).find((file) => /^warmshard\..*\.node$/.test(file));
  return process.env.WARMSHARD_NATIVE_PATH ?? (name && join(ROOT, name));
}

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { main, large, starts } = context.sizes;
  context.progress('starts of a process');
  /** @type {Record<string, { peer: string, folder: string }>} */
  const runs = { empty: { peer: 'empty', folder: '-' } };
  /** @type {import('../lib/contenders.mjs').Rows} */
  const absent = {};
  const names = context.wanted(STARTERS);
  await prepare(context, names, main);
  await prepare(context, ['warmshard'], large);
  for (const peer of names) runs[peer] = { peer, folder: folderOf(context.root, peer, main) };
  runs[`warmshard, ${label(large)}`] = {
    peer: 'warmshard',
    folder: folderOf(context.root, 'warmshard', large),
  };
  const binary = addon();
  if (binary) runs['warmshard, dlopen of the addon alone'] = { peer: 'dlopen', folder: binary };
  const contenders = Object.entries(runs).flatMap(([name, { peer, folder }]) => {
    let key = 0;
    // A slow minute of the machine affects both processes, so it hardly changes their difference.
    const round = () => {
      key = (key + 7919) % main.count;
      const { whole: empty } = start('empty', '-', keyOf(key));
      const costs = start(peer, folder, keyOf(key));
      return { ...costs, over: peer === 'empty' ? costs.whole : costs.whole - empty };
    };
    try {
      const why = names.includes(peer) ? leftOut(peer, main) : undefined;
      if (why) throw new Error(why);
      round();
    } catch (error) {
      absent[name] = { absent: reason(error) };
      return [];
    }
    return { name, round };
  });
  const samples = await sample(contenders, { rounds: starts, warmups: 1 });
  for (const [cost, [title, unit]] of Object.entries(WHAT)) {
    const rows = [...samples].map(([name, taken]) => {
      const figures = taken.kept.map((costs) => costs[/** @type {keyof Paired} */ (cost)]);
      return [name, summary(figures, taken)];
    });
    const shown = rows.filter(([name]) => cost === 'over' || name !== 'empty');
    const opened = shown.filter(([name]) => cost !== 'opened' || !/dlopen/.test(String(name)));
    context.add(`start ${cost === 'over' ? 'whole' : cost}`, `${title}, ${label(main)}`, unit, {
      ...Object.fromEntries(opened),
      ...absent,
    });
  }
}
