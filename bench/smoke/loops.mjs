// The measured loops, one fresh copy for each contender.
//
// V8 collects types per function literal: were the peers to share one loop, its call would turn megamorphic and the
// fastest would pay for all. `new Function` gives each a loop that is inlined for it alone.

/**
 * @typedef {(get: (key: string) => unknown, keys: readonly string[], order: Uint32Array, from: number, to: number) => number} Loop
 */

/** @param {string} body @returns {Loop} */
function fresh(body) {
  return /** @type {Loop} */ (
    new Function(
      'get',
      'keys',
      'order',
      'from',
      'to',
      `let sum = 0;
      for (let i = from; i < to; i++) { ${body} }
      return sum;`,
    )
  );
}

/** Looks up and touches the first and the last byte; gives their sum. */
export const hitLoop = () =>
  fresh('const value = get(keys[order[i]]); sum += value[0] + value[value.length - 1];');

/** Looks up and counts what is absent. */
export const missLoop = () => fresh('if (get(keys[order[i]]) === undefined) sum++;');

/** Calls, and keeps what comes back from being dead code. */
export const callLoop = () => fresh('if (get(keys[order[i]]) !== null) sum++;');

/**
 * Nanoseconds per turn.
 *
 * @param {number} turns
 * @param {() => void} run
 */
export function perTurn(turns, run) {
  const started = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - started) / turns;
}
