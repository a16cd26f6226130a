// Random hits and misses by one thread; the first and the last byte of every value are read. Keys are string objects
// that the process has used before, except for `fresh`: those are new, like a path that a program has just put together.

import { compete } from '../lib/contenders.mjs';
import { ABSENT, KEY_CHARS, keysOf, label, uniformOrder, zipfOrder } from '../lib/data.mjs';
import { hitLoop, manyLoop, missLoop, since, walker } from '../lib/loops.mjs';
import { drop, filled } from '../lib/stores.mjs';
import { PEERS, peerNamed } from '../peers/index.mjs';

/** Length of the order in which keys are looked up: long enough that no round repeats the keys of the one before. */
const ORDER = 1_000_000;
/** Most new strings in a round. */
const FRESH = 100_000;
/** How long reading every entry once may take, and how many entries are read between two looks at the clock. */
const ONCE_MS = 300;
const ONCE_STEP = 16;
/** Keys in one `getMany`. */
const MANY = 100;

const TITLES = {
  hit: 'hit',
  fresh: 'hit by a new string',
  zipf: 'hit, Zipf-distributed keys',
  many: `getMany of ${MANY}, per key`,
  miss: 'miss',
};
/** Peers that need more than a few microseconds for a hit. */
const SLOW = [
  'node:sqlite',
  'better-sqlite3',
  'one file per entry',
  'keyv + sqlite',
  'cacache',
  'flat-cache',
];

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { shapes, slowShapes } = context.sizes;
  const names = Object.keys(PEERS).filter((name) => !/copy|read/.test(name));
  for (const shape of shapes) {
    context.progress(`look-ups, ${label(shape)}`);
    const fast = names.filter((name) => slowShapes.includes(shape) || !SLOW.includes(name));
    const tasks = slowShapes.includes(shape) ? Object.keys(TITLES) : context.sizes.fastTasks;
    const { results } = await compete(context, 'lookups', context.entrants(fast, shape, { tasks }));
    for (const [task, title] of Object.entries(TITLES))
      context.add(`${task} ${label(shape)}`, `${title}, ${label(shape)}`, 'ns', results[task]);
    if (shape !== context.sizes.main && shape !== context.sizes.large) drop(context.root, shape);
  }
}

/** @param {{ peer: string, shape: import('../lib/data.mjs').Shape, root: string, ms: number, tasks: string[] }} spec */
export async function inChild({ peer, shape, root, ms, tasks }) {
  const store = await filled(root, peer, shape);
  const { get, getMany, miss = get } = store;
  const { awaited = false } = peerNamed(peer);
  const keys = keysOf(shape.count);
  const orders = {
    hit: () => uniformOrder(ORDER, shape.count),
    zipf: () => zipfOrder(ORDER, shape.count),
  };
  /** @type {Promise<void> | undefined} */
  let read;
  /** @param {() => Uint32Array} makeOrder */
  const hits = (makeOrder) => async () => {
    const order = makeOrder();
    const loop = hitLoop(awaited);
    read ??= once(loop, get, keys);
    await read;
    return walker({ run: (from, to) => loop(get, keys, order, from, to), length: ORDER, ms });
  };
  const misses = async () => {
    const absent = keysOf(shape.count, ABSENT);
    const order = orders.hit();
    const loop = missLoop(awaited);
    const run = async (/** @type {number} */ from, /** @type {number} */ to) => {
      if ((await loop(miss, absent, order, from, to)) !== to - from)
        throw new Error(`${peer} found a key that was never stored`);
    };
    return walker({ run, length: ORDER, ms });
  };
  const many = async () => {
    const order = orders.hit();
    const groups = Array.from({ length: ORDER / MANY }, (_, i) =>
      Array.from(order.subarray(i * MANY, (i + 1) * MANY), (k) => /** @type {string} */ (keys[k])),
    );
    const each = awaited
      ? (/** @type {string[]} */ group) => Promise.all(group.map((key) => get(key)))
      : (/** @type {string[]} */ group) => group.map((key) => get(key));
    const loop = manyLoop(awaited);
    const run = (/** @type {number} */ from, /** @type {number} */ to) =>
      loop(getMany ?? each, groups, order, from, to);
    return walker({ run, length: groups.length, ms, each: MANY });
  };
  const all = {
    hit: hits(orders.hit),
    fresh: () => fresh(get, awaited, keys, ms),
    zipf: hits(orders.zipf),
    many,
    miss: misses,
  };
  const wanted = Object.entries(all).filter(([name]) => tasks.includes(name));
  return { tasks: Object.fromEntries(wanted), close: () => store.close() };
}

/**
 * Reads every entry once, or as many as there is time for, so that they are not measured at their first use: the first
 * look-up in a process maps the page, and some stores verify the entry then.
 *
 * @param {import('../lib/loops.mjs').Loop} loop
 * @param {(key: string) => unknown} get
 * @param {string[]} keys
 */
async function once(loop, get, keys) {
  const straight = Uint32Array.from(keys, (_, i) => i);
  const end = performance.now() + ONCE_MS;
  for (let from = 0; from < keys.length && performance.now() < end; from += ONCE_STEP)
    await loop(get, keys, straight, from, Math.min(keys.length, from + ONCE_STEP));
}

/**
 * Looks up strings that each round makes before its clock starts.
 *
 * @param {(key: string) => unknown} get
 * @param {boolean} awaited
 * @param {string[]} keys
 * @param {number} ms
 */
async function fresh(get, awaited, keys, ms) {
  const order = uniformOrder(FRESH, keys.length);
  const straight = Uint32Array.from({ length: FRESH }, (_, i) => i);
  const bytes = Buffer.alloc(FRESH * KEY_CHARS);
  for (let i = 0; i < FRESH; i++) bytes.write(keys[order[i] ?? 0] ?? '', i * KEY_CHARS, 'latin1');
  const loop = hitLoop(awaited);
  let turns = 100;
  const round = async () => {
    // Like the lead of other rounds, these turns are not timed.
    const lead = turns >> 2;
    const from = Math.floor(Math.random() * (FRESH - turns - lead)) * KEY_CHARS;
    const strings = Array.from({ length: turns + lead }, (_, i) =>
      bytes.toString('latin1', from + i * KEY_CHARS, from + (i + 1) * KEY_CHARS),
    );
    await loop(get, strings, straight, 0, lead);
    const started = process.hrtime.bigint();
    const running = loop(get, strings, straight, lead, lead + turns);
    if (running instanceof Promise) await running;
    return since(started) / turns;
  };
  for (let look = 0; look < 6; look++)
    turns = Math.max(10, Math.min(FRESH >> 1, Math.round((ms * 1e6) / (await round()))));
  return round;
}
