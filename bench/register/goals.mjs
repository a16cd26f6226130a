// The goals for warmshard/register: ratios within one run, and some bounds in milliseconds.

import { medianOf } from '../report/markdown.mjs';
import { EMPTY } from './cases/empty.mjs';
import { firstOf, warmOf } from './cases/programs.mjs';
import { PRECOMPILED, SECOND } from './cases/typescript.mjs';
import { PROGRAMS } from './programs.mjs';

/**
 * @typedef {import('../lib/context.mjs').Result} Result
 * @typedef {{ what: string, unit: string, side: 'most', bound: number }} Goal
 * @typedef {Goal & { value: number, met: boolean }} Verdict
 */

/** @type {(results: readonly Result[], id: string, row: string) => number} */
function median(results, id, row) {
  const found = results.find((result) => result.id === id);
  return (found && medianOf(found, row)) ?? Number.NaN;
}

/** @param {readonly number[]} ratios */
export const geometric = (ratios) =>
  Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);

/**
 * The time of one mode divided by that of others, for each program that ran in both.
 *
 * @param {readonly Result[]} results
 * @param {string} mode
 * @param {readonly string[]} others modes of which the fastest counts
 * @param {(program: import('./programs.mjs').Program) => boolean} [chosen]
 * @param {(name: string) => string} [idOf]
 */
export function ratios(results, mode, others, chosen = () => true, idOf = warmOf) {
  return PROGRAMS.filter(chosen).flatMap(({ name }) => {
    const known = others.map((other) => median(results, idOf(name), other)).filter((ms) => !Number.isNaN(ms));
    const ratio = median(results, idOf(name), mode) / Math.min(...known);
    return Number.isNaN(ratio) || known.length === 0 ? [] : [{ name, ratio }];
  });
}

/** @param {{ ratio: number }[]} all */
const mean = (all) => geometric(all.map(({ ratio }) => ratio));

/** @type {(Goal & { measure: (results: readonly Result[]) => number })[]} */
export const GOALS = [
  {
    what: 'warm, compared with no cache, geometric mean of all programs',
    unit: 'x',
    side: 'most',
    bound: 0.52,
    measure: (results) => mean(ratios(results, 'warmshard', ['none'])),
  },
  {
    what: 'warm, compared with the built-in cache, geometric mean of CommonJS programs',
    unit: 'x',
    side: 'most',
    bound: 0.62,
    measure: (results) => mean(ratios(results, 'warmshard', ['built-in'], ({ kind }) => kind === 'CommonJS')),
  },
  {
    what: 'warm, compared with the better of no cache and the built-in cache, worst program',
    unit: 'x',
    side: 'most',
    bound: 1.02,
    measure: (results) => {
      const all = ratios(results, 'warmshard', ['none', 'built-in']).map(({ ratio }) => ratio);
      return all.length === 0 ? Number.NaN : Math.max(...all);
    },
  },
  {
    what: 'added to a program that does nothing',
    unit: 'ms',
    side: 'most',
    bound: 1.5,
    measure: (results) => median(results, EMPTY, 'warmshard') - median(results, EMPTY, 'none'),
  },
  {
    what: '... when preloaded by name instead of by path',
    unit: 'ms',
    side: 'most',
    bound: 1.5,
    measure: (results) => median(results, EMPTY, 'warmshard, by name') - median(results, EMPTY, 'none'),
  },
  {
    what: 'first run of webpack, compared with no cache',
    unit: 'x',
    side: 'most',
    bound: 1.15,
    measure: (results) =>
      median(results, firstOf('webpack'), 'warmshard') / median(results, firstOf('webpack'), 'none'),
  },
  {
    what: '300 TypeScript files, second run',
    unit: 'ms',
    side: 'most',
    bound: 70,
    measure: (results) => median(results, SECOND, 'warmshard'),
  },
  // These two bounds come from a machine where tsx takes 287 ms and the precompiled JavaScript 127 ms.
  {
    what: '... compared with tsx',
    unit: 'x',
    side: 'most',
    bound: 70 / 287,
    measure: (results) => median(results, SECOND, 'warmshard') / median(results, SECOND, 'tsx'),
  },
  {
    what: '... compared with precompiled JavaScript',
    unit: 'x',
    side: 'most',
    bound: 70 / 127,
    measure: (results) => median(results, SECOND, 'warmshard') / median(results, SECOND, PRECOMPILED),
  },
];

/** The goals whose rows the results contain, with what was measured. @param {readonly Result[]} results @returns {Verdict[]} */
export function verdicts(results) {
  return GOALS.flatMap(({ measure, ...goal }) => {
    const value = measure(results);
    return Number.isNaN(value) ? [] : { ...goal, value, met: value <= goal.bound };
  });
}
