// Repeatable random numbers: the same seed gives the same numbers.

/**
 * @param {number} seed
 * @returns {(below: number) => number} returns integers from 0
 */
export function random(seed) {
  let state = (seed >>> 0) + 0x9e3779b9;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/**
 * A shuffled copy.
 *
 * @template T
 * @param {readonly T[]} things
 * @param {(below: number) => number} next
 */
export function shuffled(things, next) {
  const out = [...things];
  for (let i = out.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [out[i], out[j]] = [/** @type {T} */ (out[j]), /** @type {T} */ (out[i])];
  }
  return out;
}
