// Plans from a seed what is done to a store: changes, housekeeping, closing and opening again.

import { BATCH } from './oracle.mjs';
import { random } from './random.mjs';

/** @typedef {{ change: import('./oracle.mjs').Change } | { house: number } | { reopen: true }} Step */

/**
 * @param {import('./subjects.mjs').Subject} subject
 * @param {number} seed
 * @param {number} steps
 * @returns {Step[]}
 */
export function plan(subject, seed, steps) {
  const next = random(seed);
  const some = Array.from({ length: 8 }, (_, i) => `key ${i}`);
  const batch = Array.from({ length: 5 }, (_, i) => `${BATCH}${i}`);
  const one = () => /** @type {string} */ (some[next(some.length)]);
  /** @type {Step[]} */
  const out = [];
  for (let tag = 1; out.length < steps; tag++) {
    const what = next(100);
    if (what < 40) out.push({ change: { tag, put: [one()] } });
    else if (what < 50) out.push({ change: { tag, remove: [one()] } });
    else if (what < 60 && subject.batches) out.push({ change: { tag, put: batch } });
    else if (what < 64 && subject.batches)
      out.push({ change: { tag, put: [...batch, one(), one()], only: true } });
    else if (what < 66) out.push({ change: { tag, only: true } });
    else if (what < 94) out.push({ house: next(2) === 0 ? 0 : next(8) });
    else out.push({ reopen: true });
  }
  return out;
}
