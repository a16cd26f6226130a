// The measured loops, one fresh copy for each use.
//
// V8 collects types per function literal: were two uses to share one loop, its call would turn polymorphic and the
// faster would pay for both. `new Function` gives each a loop that is inlined for it alone.

/**
 * @typedef {(get: (...args: any[]) => unknown, keys: readonly unknown[], order: Uint32Array, from: number, to: number) => number | Promise<number>} Loop
 */

const AsyncFunction = /** @type {FunctionConstructor} */ ((async () => {}).constructor);

/** @param {string} body `CALL(x)` in it is the call, awaited where the peer wants that @param {boolean} awaited @returns {Loop} */
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

/** Looks up and touches the first and the last byte; gives their sum. */
export const hitLoop = (awaited = false) =>
  fresh('const value = CALL(keys[order[i]]); sum += value[0] + value[value.length - 1];', awaited);

/** Looks up and counts what is absent. */
export const missLoop = (awaited = false) => fresh('if (CALL(keys[order[i]]) === undefined) sum++;', awaited);

/** Looks up many at a time: `keys` holds arrays of keys. */
export const manyLoop = (awaited = false) =>
  fresh('for (const value of CALL(keys[i])) sum += value[0] + value[value.length - 1];', awaited);

/** Calls, and keeps what comes back from being dead code. */
export const callLoop = (awaited = false) => fresh('if (CALL(keys[order[i]]) !== null) sum++;', awaited);

/** `get` takes the key and the number of the turn. */
export const turnLoop = (awaited = false) => fresh('if (CALL(keys[order[i]], i) !== null) sum++;', awaited);

/** Nanoseconds since a moment. @param {bigint} started */
export const since = (started) => Number(process.hrtime.bigint() - started);

/** Shares of a round that run before it is timed: what others evicted from the processor's caches comes back. */
const LEAD = 0.25;
/** A turn that takes longer needs no lead. */
const LEAD_NS = 20_000;
/** Looks at how long the rounds take, until that stays the same: V8 optimises meanwhile. */
const LOOKS = 8;

/**
 * A task that goes on in `order` where its last round ended, and makes as many turns a round as fill `ms`.
 *
 * @param {object} options
 * @param {(from: number, to: number) => unknown} options.run
 * @param {number} options.length of the order
 * @param {number} options.ms
 * @param {number} [options.most] turns of a round
 * @param {number} [options.each] what one turn counts as
 * @param {boolean} [options.lead] whether turns may run untimed
 * @returns {Promise<() => Promise<number>>} nanoseconds per turn
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
  // So that there is room for the lead.
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
 * Nanoseconds per turn of what turns by itself.
 *
 * @param {number} turns
 * @param {() => void} run
 */
export function perTurn(turns, run) {
  const started = process.hrtime.bigint();
  run();
  return since(started) / turns;
}
