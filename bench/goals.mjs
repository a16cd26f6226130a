// What the figures are held against, as ratios of one run wherever there is something to compare with: absolute
// figures move with the machine. Names are those of the cases and of their rows; `door` is the row through the faster
// binary, where there is one, `plain` that through Node-API.

/**
 * @typedef {{ of: [id: string, row: string], over?: [id: string, row: string] }} Figure
 * @typedef {object} Goal
 * @property {string} what
 * @property {Figure} figure a row's median, or divided by another
 * @property {string} unit
 * @property {'most' | 'least'} side
 * @property {number} bound
 * @property {'door' | 'plain'} [by]
 *
 * @typedef {Goal & { value: number, met: boolean }} Verdict
 */

const TEN = '10k x 1 KiB';
const HUNDRED = '100k x 1 KiB';
const MILLION = '1M x 64 B';
const LMDB = 'lmdb getBinaryFast';
/** Node-API's look-up prototype took so many times a Map's hit. */
const PROTOTYPE = 178 / 73;

/**
 * @param {string} what
 * @param {'door' | 'plain'} by
 * @param {string} id
 * @param {'us to' | 'to us'} direction
 * @param {string} peer
 * @param {number} bound
 * @returns {Goal}
 */
function ratio(what, by, id, direction, peer, bound) {
  const [a, b] = direction === 'us to' ? ['warmshard', peer] : [peer, 'warmshard'];
  const side = direction === 'us to' ? 'most' : 'least';
  return { what, by, figure: { of: [id, a], over: [id, b] }, unit: 'x', side, bound };
}

/** @type {Goal[]} */
export const GOALS = [
  ratio('hit, 10k x 1 KiB, to Map', 'plain', `hit ${TEN}`, 'us to', 'Map', 1.2 * PROTOTYPE),
  ratio('hit, 10k x 1 KiB, to Map', 'door', `hit ${TEN}`, 'us to', 'Map', 1.15),
  ratio('hit, 100k x 1 KiB, to Map', 'plain', `hit ${HUNDRED}`, 'us to', 'Map', 1.6),
  ratio('hit, 100k x 1 KiB, to Map', 'door', `hit ${HUNDRED}`, 'us to', 'Map', 1),
  ratio('hit by a fresh string, 10k, to Map', 'plain', `fresh ${TEN}`, 'us to', 'Map', 1),
  ratio('hit by a fresh string, 100k, to Map', 'plain', `fresh ${HUNDRED}`, 'us to', 'Map', 1),
  ratio('hit by a fresh string, 10k, to Map', 'door', `fresh ${TEN}`, 'us to', 'Map', 1),
  ratio('hit by a fresh string, 100k, to Map', 'door', `fresh ${HUNDRED}`, 'us to', 'Map', 1),
  ratio('miss, 10k, to Map', 'plain', `miss ${TEN}`, 'us to', 'Map', 1.8),
  ratio('miss, 100k, to Map', 'plain', `miss ${HUNDRED}`, 'us to', 'Map', 1.8),
  ratio('miss, 10k, to Map', 'door', `miss ${TEN}`, 'us to', 'Map', 0.5),
  ratio('miss, 100k, to Map', 'door', `miss ${HUNDRED}`, 'us to', 'Map', 0.5),
  ratio('hit, 10k, faster than lmdb', 'plain', `hit ${TEN}`, 'to us', LMDB, 5.5),
  ratio('hit, 100k, faster than lmdb', 'plain', `hit ${HUNDRED}`, 'to us', LMDB, 2),
  ratio('hit, 10k, faster than lmdb', 'door', `hit ${TEN}`, 'to us', LMDB, 12),
  ratio('hit, 100k, faster than lmdb', 'door', `hit ${HUNDRED}`, 'to us', LMDB, 3.8),
  {
    what: 'copied to lent, 1 KiB',
    figure: { of: ['copies', 'warmshard, copy'], over: ['copies', 'warmshard'] },
    unit: 'x',
    side: 'most',
    bound: 2,
  },
  {
    what: 'copied, faster than napi_create_buffer_copy',
    figure: { of: ['copies', 'napi_create_buffer_copy'], over: ['copies', 'warmshard, copy'] },
    unit: 'x',
    side: 'least',
    bound: 4,
  },
  {
    what: 'ScriptCache.load, validated, to fs.statSync alone',
    figure: { of: ['sources', 'warmshard ScriptCache.load'], over: ['sources', 'fs.statSync alone'] },
    unit: 'x',
    side: 'most',
    bound: 0.5,
  },
  ...[TEN, HUNDRED, MILLION].map(
    (size) =>
      /** @type {Goal} */ ({
        what: `put, not synced, into ${size}`,
        figure: { of: [`put ${size}`, 'warmshard'] },
        unit: 'us',
        side: 'most',
        bound: 5,
      }),
  ),
  {
    what: 'put, into 1M to into 10k',
    figure: { of: [`put ${MILLION}`, 'warmshard'], over: [`put ${TEN}`, 'warmshard'] },
    unit: 'x',
    side: 'most',
    bound: 1.2,
  },
  {
    what: 'put synced, to append and fdatasync',
    figure: { of: ['put synced', 'warmshard'], over: ['put synced', 'append of 1 KiB and fdatasync'] },
    unit: 'x',
    side: 'most',
    bound: 1.2,
  },
  {
    what: 'one batch of 100k x 1 KiB, to one plain write',
    figure: { of: ['load', 'warmshard'], over: ['load', 'one write of the same bytes'] },
    unit: 'x',
    side: 'most',
    bound: 1.5,
  },
  {
    what: 'start: whole, over an empty process',
    figure: { of: ['start whole', 'warmshard'] },
    unit: 'ms',
    side: 'most',
    bound: 1.5,
  },
  {
    what: 'start: require',
    figure: { of: ['start required', 'warmshard'] },
    unit: 'us',
    side: 'most',
    bound: 1000,
  },
  {
    what: 'start: open and first get, 10k',
    figure: { of: ['start opened', 'warmshard'] },
    unit: 'us',
    side: 'most',
    bound: 60,
  },
  {
    what: 'start: open and first get, 1M',
    figure: { of: ['start opened', `warmshard, ${MILLION}`] },
    unit: 'us',
    side: 'most',
    bound: 60,
  },
  {
    what: 'a put seen by another process',
    figure: { of: ['seen', 'warmshard'] },
    unit: 'us',
    side: 'most',
    bound: 2,
  },
  {
    what: 'private memory of open at 1M entries',
    figure: { of: [`memory opened ${MILLION}`, 'warmshard'] },
    unit: 'KiB',
    side: 'most',
    bound: 1024,
  },
];

/**
 * Each goal that the results tell something about.
 *
 * @param {readonly import('./lib/context.mjs').Result[]} results
 * @param {boolean} fastDoor whether plain `warmshard` rows went through the faster binary
 * @returns {Verdict[]}
 */
export function verdicts(results, fastDoor) {
  return GOALS.flatMap((goal) => {
    if (goal.by === 'door' && !fastDoor) return [];
    /** @param {[id: string, row: string]} of */
    const median = ([id, row]) => {
      const ours = goal.by === 'plain' && fastDoor && row === 'warmshard' ? 'warmshard, Node-API' : row;
      const found = results.find((result) => result.id === id)?.rows[ours];
      return found && 'median' in found ? found.median : Number.NaN;
    };
    const { of, over } = goal.figure;
    const value = median(of) / (over ? median(over) : 1);
    if (Number.isNaN(value)) return [];
    return { ...goal, value, met: goal.side === 'most' ? value <= goal.bound : value >= goal.bound };
  });
}
