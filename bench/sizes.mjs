// How much work a run does. The full one takes an hour or two, the quick one less than three minutes; the tiny one
// only checks that everything runs.

const KIB = 1024;
const MIB = 1024 * KIB;

/** @param {number} count @param {number} bytes */
const shape = (count, bytes) => ({ count, bytes });

const main = shape(10_000, KIB);
const hundred = shape(100_000, KIB);
const small = shape(1_000_000, 64);

/** @type {Record<'full' | 'quick' | 'tiny', import('./lib/context.mjs').Sizes>} */
export const SIZES = {
  full: {
    rounds: 15,
    patience: 2,
    ms: 40,
    ...lookups(
      [main, shape(10_000, 64), shape(10_000, 16 * KIB), shape(200, MIB), hundred],
      [shape(100_000, 64), shape(100_000, 16 * KIB), small, shape(1_000_000, KIB)],
    ),
    fastTasks: ['hit', 'fresh', 'zipf', 'many', 'miss'],
    main,
    large: small,
    batch: 100_000,
    starts: 60,
    readers: [1, 2, 4],
    wide: true,
    sources: 2000,
    seen: 500,
    synced: 50,
  },
  quick: {
    rounds: 7,
    patience: 1.3,
    ms: 20,
    ...lookups([main], [hundred]),
    fastTasks: ['hit', 'fresh', 'miss'],
    main,
    large: small,
    batch: 100_000,
    starts: 13,
    readers: [2],
    wide: false,
    sources: 1000,
    seen: 100,
    synced: 20,
  },
  tiny: tiny(),
};

/**
 * @param {import('./lib/data.mjs').Shape[]} all shapes for every peer
 * @param {import('./lib/data.mjs').Shape[]} fast shapes for fast peers only
 */
function lookups(all, fast) {
  return { shapes: [...all, ...fast], slowShapes: all };
}

/** @returns {import('./lib/context.mjs').Sizes} */
function tiny() {
  const few = shape(100, 64);
  return {
    rounds: 1,
    patience: 1,
    ms: 1,
    ...lookups([few], []),
    main: few,
    fastTasks: ['hit'],
    large: shape(1000, 64),
    batch: 200,
    starts: 1,
    readers: [1],
    wide: true,
    sources: 20,
    seen: 30,
    synced: 2,
  };
}
