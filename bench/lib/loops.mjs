// The measured loops, a new copy for each use.
//
// V8 collects type feedback per function literal: if two contenders shared one loop, its call would become polymorphic
// and slow down the faster contender. `new Function` gives each a loop that V8 optimises for it alone.

/**
 * @typedef {(get: (...args: any[]) => unknown, keys: readonly unknown[], order: Uint32Array, from: number, to: number) => number | Promise<number>} Loop
 */

const AsyncFunction = /** @type {FunctionConstructor} */ ((async () => {}).constructor);

/** @param {string} body in it, `CALL(x)` stands for the call @param {boolean} awaited whether to await it @returns {Loop} */
function fresh(body, awaited) {
  const Constructor = awaited ? AsyncFunction : Function;
  const turn = body.replace(/CALL\(/g, awaited ? 'await get(' : 'get(');
  return /** @type {Loop} */ (
    new Constructor(
      'get',
      'keys',
      'order',
      'from',
      'to',
      `let sum = 0;
      for (let i = from; i < to; i++) { ${turn} }
      return sum;`,
    )
  );
}

/** Looks up each key and reads the first and the last byte of its value; returns the sum of these bytes. */
export const hitLoop = (awaited = false) =>
  fresh('const value = CALL(keys[order[i]]); sum += value[0] + value[value.length - 1];', awaited);

/** Looks up each key and counts the misses. */
export const missLoop = (awaited = false) => fresh('if (CALL(keys[order[i]]) === undefined) sum++;', awaited);

/** Looks up many at a time: `keys` holds arrays of keys. */
export const manyLoop = (awaited = false) =>
  fresh('for (const value of CALL(keys[i])) sum += value[0] + value[value.length - 1];', awaited);

/** Only calls. It uses the result, so that V8 cannot remove the call as dead code. */
export const callLoop = (awaited = false) => fresh('if (CALL(keys[order[i]]) !== null) sum++;', awaited);

/** Like `callLoop`; `get` also receives the number of the turn. */
export const turnLoop = (awaited = false) => fresh('if (CALL(keys[order[i]], i) !== null) sum++;', awaited);

/** Nanoseconds since a moment. @param {bigint} started */
export const since = (started) => Number(process.hrtime.bigint() - started);

/**
 * Share of a round that runs before the clock starts, to bring back what other contenders have evicted from the
 * processor's caches.
 */
const LEAD = 0.25;
/** Turns that take longer than this need no lead. */
const LEAD_NS = 20_000;
/** How often the turns of a round are adjusted at most until its time is stable; V8 optimises meanwhile. */
const LOOKS = 8;

/**
 * A task whose rounds take about `ms` each; every round goes on in `order` where the last one ended.
 *
 * @param {object} options
 * @param {(from: number, to: number) => unknown} options.run
 * @param {number} options.length of the order
 * @param {number} options.ms
 * @param {number} [options.most] most turns in a round
 * @param {number} [options.each] operations in one turn
 * @param {boolean} [options.lead] whether some turns may run untimed before a round
 * @returns {Promise<() => Promise<number>>} nanoseconds per operation
 */
export async function walker({ run, length, ms, most = length, each = 1, lead = true }) {
  let at = 0;
  const timed = async (/** @type {number} */ turns) => {
    if (at + turns > length) at = 0;
    const from = at;
    at += turns;
    const started = process.hrtime.bigint();
    const running = run(from, at);
    if (running instanceof Promise) await running;
    return since(started);
  };
  // Leaves room for the lead.
  const limit = lead ? Math.ceil(most / (1 + LEAD)) : most;
  let turns = Math.min(8, limit);
  let took = await timed(turns);
  while (took < ms * 3e5 && turns < limit) {
    turns = Math.min(limit, turns * 2);
    took = await timed(turns);
  }
  for (let look = 0; look < LOOKS; look++) {
    const fitting = Math.max(1, Math.min(limit, Math.round((turns * ms * 1e6) / took)));
    if (fitting < turns * 1.2 && fitting > turns * 0.8) break;
    turns = fitting;
    took = await timed(turns);
  }
  const before = lead && took / turns < LEAD_NS ? Math.floor(turns * LEAD) : 0;
  return async () => {
    if (before > 0) await timed(before);
    return (await timed(turns)) / turns / each;
  };
}

/**
 * Nanoseconds per turn of a function that makes `turns` turns in one call.
 *
 * @param {number} turns
 * @param {() => void} run
 */
export function perTurn(turns, run) {
  const started = process.hrtime.bigint();
  run();
  return since(started) / turns;
}
