// The goals that the figures are compared with. They are ratios within one run wherever a row to compare with exists,
// because absolute figures depend on the machine. `of` and `over` name a case and one of its rows. `by: 'door'` takes
// the row that uses the fast door, `by: 'plain'` the one that uses Node-API.

/**
 * @typedef {{ of: [id: string, row: string], over?: [id: string, row: string] }} Figure
 * @typedef {object} Goal
 * @property {string} what
 * @property {Figure} figure the median of one row, divided by that of `over` if given
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
/** How many times as long as a hit in a Map the prototype of a look-up through Node-API took. */
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
  ratio('hit, 10k x 1 KiB, compared with a Map', 'plain', `hit ${TEN}`, 'us to', 'Map', 1.2 * PROTOTYPE),
  ratio('hit, 10k x 1 KiB, compared with a Map', 'door', `hit ${TEN}`, 'us to', 'Map', 1.15),
  ratio('hit, 100k x 1 KiB, compared with a Map', 'plain', `hit ${HUNDRED}`, 'us to', 'Map', 1.6),
  ratio('hit, 100k x 1 KiB, compared with a Map', 'door', `hit ${HUNDRED}`, 'us to', 'Map', 1),
  ratio('hit by a new string, 10k x 1 KiB, compared with a Map', 'plain', `fresh ${TEN}`, 'us to', 'Map', 1),
  ratio(
    'hit by a new string, 100k x 1 KiB, compared with a Map',
    'plain',
    `fresh ${HUNDRED}`,
    'us to',
    'Map',
    1,
  ),
  ratio('hit by a new string, 10k x 1 KiB, compared with a Map', 'door', `fresh ${TEN}`, 'us to', 'Map', 1),
  ratio(
    'hit by a new string, 100k x 1 KiB, compared with a Map',
    'door',
    `fresh ${HUNDRED}`,
    'us to',
    'Map',
    1,
  ),
  ratio('miss, 10k x 1 KiB, compared with a Map', 'plain', `miss ${TEN}`, 'us to', 'Map', 1.8),
  ratio('miss, 100k x 1 KiB, compared with a Map', 'plain', `miss ${HUNDRED}`, 'us to', 'Map', 1.8),
  ratio('miss, 10k x 1 KiB, compared with a Map', 'door', `miss ${TEN}`, 'us to', 'Map', 0.5),
  ratio('miss, 100k x 1 KiB, compared with a Map', 'door', `miss ${HUNDRED}`, 'us to', 'Map', 0.5),
  ratio('hit, 10k x 1 KiB, times as fast as lmdb', 'plain', `hit ${TEN}`, 'to us', LMDB, 5.5),
  ratio('hit, 100k x 1 KiB, times as fast as lmdb', 'plain', `hit ${HUNDRED}`, 'to us', LMDB, 2),
  ratio('hit, 10k x 1 KiB, times as fast as lmdb', 'door', `hit ${TEN}`, 'to us', LMDB, 12),
  ratio('hit, 100k x 1 KiB, times as fast as lmdb', 'door', `hit ${HUNDRED}`, 'to us', LMDB, 3.8),
  {
    what: 'hit with a copied value, compared with a lent one, 1 KiB',
    figure: { of: ['copies', 'warmshard, copy'], over: ['copies', 'warmshard'] },
    unit: 'x',
    side: 'most',
    bound: 2,
  },
  {
    what: 'hit with a copied value, times as fast as napi_create_buffer_copy',
    figure: { of: ['copies', 'napi_create_buffer_copy'], over: ['copies', 'warmshard, copy'] },
    unit: 'x',
    side: 'least',
    bound: 4,
  },
  {
    what: 'ScriptCache.load, compared with fs.statSync alone',
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
    what: 'put into 1M x 64 B, compared with one into 10k x 1 KiB',
    figure: { of: [`put ${MILLION}`, 'warmshard'], over: [`put ${TEN}`, 'warmshard'] },
    unit: 'x',
    side: 'most',
    bound: 1.2,
  },
  {
    what: 'synced put, compared with an append and fdatasync',
    figure: { of: ['put synced', 'warmshard'], over: ['put synced', 'append of 1 KiB and fdatasync'] },
    unit: 'x',
    side: 'most',
    bound: 1.2,
  },
  {
    what: 'one batch of 100k x 1 KiB, compared with one plain write',
    figure: { of: ['load', 'warmshard'], over: ['load', 'one write of the same bytes'] },
    unit: 'x',
    side: 'most',
    bound: 1.5,
  },
  {
    what: 'start: whole process, minus an empty one',
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
    what: 'start: open and first get, 10k x 1 KiB',
    figure: { of: ['start opened', 'warmshard'] },
    unit: 'us',
    side: 'most',
    bound: 60,
  },
  {
    what: 'start: open and first get, 1M x 64 B',
    figure: { of: ['start opened', `warmshard, ${MILLION}`] },
    unit: 'us',
    side: 'most',
    bound: 60,
  },
  {
    what: 'until another process sees a put',
    figure: { of: ['seen', 'warmshard'] },
    unit: 'us',
    side: 'most',
    bound: 2,
  },
  {
    what: 'private memory of open and first get, 1M x 64 B',
    figure: { of: [`memory opened ${MILLION}`, 'warmshard'] },
    unit: 'KiB',
    side: 'most',
    bound: 1024,
  },
];

/**
 * The goals whose rows the results contain, with what was measured.
 *
 * @param {readonly import('./lib/context.mjs').Result[]} results
 * @param {boolean} fastDoor whether the rows named `warmshard` went through the fast door
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
