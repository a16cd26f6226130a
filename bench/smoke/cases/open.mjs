// Open and first get in a fresh process, with the file in the page cache: time, and memory of its own.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keyOf, VALUE_BYTES } from '../data.mjs';
import { sample, summary } from '../measure.mjs';

/** Entries that every store has. */
const KEYS = 10_000;

const CHILD = fileURLToPath(new URL('../children/open.cjs', import.meta.url));

/**
 * @typedef {object} Costs what a fresh process measured: microseconds, and kilobytes more than before
 * @property {number} required of the module, which loads the addon
 * @property {number} opened open and first get
 * @property {number} total of both
 * @property {number} rss
 * @property {number} anonymous
 */
const COSTS = /** @type {const} */ (['required', 'opened', 'total', 'rss', 'anonymous']);

/** @param {string} peer @param {string} path @param {number} key @returns {Costs} */
function runChild(peer, path, key) {
  const text = execFileSync(process.execPath, [CHILD, peer, path, keyOf(key)], { encoding: 'utf8' });
  const { required, opened, bytes, before, after } = JSON.parse(text);
  if (bytes !== VALUE_BYTES) throw new Error(`a fresh process did not find ${keyOf(key)} in ${path}`);
  return {
    required,
    opened,
    total: required + opened,
    rss: after.rss - before.rss,
    anonymous: after.anonymous - before.anonymous,
  };
}

/**
 * @param {{ stores: Record<string, { peer: string, path: string }>, rounds: number }} options
 * @returns {Promise<Record<keyof Costs, import('../measure.mjs').Figures>>}
 */
export async function opens({ stores, rounds }) {
  const contenders = Object.entries(stores).map(([name, { peer, path }]) => {
    let key = 0;
    return {
      name,
      round() {
        key = (key + 7919) % KEYS;
        return runChild(peer, path, key);
      },
    };
  });
  const samples = [...(await sample(contenders, { rounds, warmups: 1 }))];
  const figures = COSTS.map((cost) => [
    cost,
    Object.fromEntries(
      samples.map(([name, taken]) => [
        name,
        summary(
          taken.kept.map((costs) => costs[cost]),
          taken,
        ),
      ]),
    ),
  ]);
  return Object.fromEntries(figures);
}
