// Single puts of new entries: not synced, where the cost must not grow with the size of the store; synced, where a put
// that has returned survives a power cut; and 5 puts among 95 hits. The floor is a plain append to a file, among hits of
// the floor addon where the case has hits.

import { closeSync, fdatasyncSync, mkdtempSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compete } from '../lib/contenders.mjs';
import { keyOf, keysOf, label, makeValue, uniformOrder } from '../lib/data.mjs';
import { hitLoop, turnLoop, walker } from '../lib/loops.mjs';
import { fill, filled } from '../lib/stores.mjs';
import { openFloor } from '../peers/floor.mjs';
import { leftOut, PEERS, peerNamed } from '../peers/index.mjs';

/** Most new entries in a round. */
const MOST = 2000;
const ORDER = 200_000;
/** In the mixed task, one of this many calls is a put. */
const MIXED = 20;
/** Size of the value that is put, whatever the sizes in the store are. */
const BYTES = 1024;

const names = Object.keys(PEERS).filter(
  (name) => name !== 'floor' && !/copy|read|Node-API|object|getBinary$/.test(name),
);

const FEW = ['Map', 'warmshard', 'lmdb getBinaryFast'];
const FAST = names.filter((name) => !/cacache|keyv|flat|file/.test(name));

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { main, large, shapes } = context.sizes;
  const bare = { root: context.root, ms: context.sizes.ms };
  const sizes = [main, ...shapes.filter((shape) => shape.count === 100_000 && shape.bytes === BYTES), large];
  for (const shape of sizes) {
    context.progress(`puts, ${label(shape)}`);
    // Only few peers can load a million entries in a reasonable time.
    const some = shape === large ? FEW : context.sizes.wide || shape === main ? names : FAST;
    const append = { name: 'append of 1 KiB', spec: { ...bare, shape } };
    const { results } = await compete(context, 'puts', [...context.entrants(some, shape), append]);
    context.add(`put ${label(shape)}`, `put of 1 KiB, not synced, into ${label(shape)}`, 'us', results.put);
    context.add(`mixed ${label(shape)}`, `95 % hits, 5 % puts, ${label(shape)}`, 'us', results.mixed);
  }
  context.progress('synced puts');
  const synced = names.filter((name) => !peerNamed(name).memory && !/cacache|keyv|flat/.test(name));
  const entrants = context.entrants(synced, main, { sync: true, most: context.sizes.synced });
  const durable = {
    name: 'append of 1 KiB and fdatasync',
    spec: { ...bare, shape: main, sync: true, most: context.sizes.synced },
  };
  const { results } = await compete(context, 'puts', [...entrants, durable], { warmups: 1 });
  context.add('put synced', `put of 1 KiB, synced, into ${label(main)}`, 'us', results.put);
}

/**
 * @param {{ peer?: string, shape: import('../lib/data.mjs').Shape, root: string, ms: number, sync?: boolean, most?: number }} spec
 */
export async function inChild({ peer, shape, root, ms, sync = false, most = MOST }) {
  const { awaited = false, awaitedPut = false } = peer === undefined ? {} : peerNamed(peer);
  const store = await opened(root, peer, shape, sync);
  let next = 0;
  const prefix = `/home/user/puts-${process.pid}`;
  const fresh = () => Array.from({ length: most }, () => keyOf(next++, prefix));
  const value = makeValue(3, BYTES);
  const put = async () => {
    let keys = fresh();
    const loop = turnLoop(awaitedPut);
    const order = Uint32Array.from({ length: most }, (_, i) => i);
    const call = (/** @type {string} */ key) => store.put(key, value);
    const round = await walker({
      run: (from, to) => loop(call, keys, order, from, to),
      length: most,
      ms,
      lead: false,
    });
    return async () => {
      keys = fresh();
      return (await round()) / 1000;
    };
  };
  const mixed = async () => {
    const keys = keysOf(shape.count);
    const order = uniformOrder(ORDER, shape.count);
    const wait = awaited || awaitedPut;
    const loop = hitLoop(wait);
    let turn = 0;
    const call = (/** @type {string} */ key) => {
      if (turn++ % MIXED !== 0) return store.get(key);
      const done = store.put(keyOf(next++, prefix), value);
      return awaitedPut ? /** @type {Promise<unknown>} */ (done).then(() => value) : value;
    };
    // A turn is one put and the hits up to the next put.
    const round = await walker({
      run: (from, to) => loop(call, keys, order, from * MIXED, to * MIXED),
      length: ORDER / MIXED,
      most: MOST,
      each: MIXED,
      ms,
    });
    return async () => (await round()) / 1000;
  };
  return { tasks: sync ? { put } : { put, mixed }, close: () => store.close() };
}

/** @param {string} root @param {string | undefined} peer @param {import('../lib/data.mjs').Shape} shape @param {boolean} sync */
async function opened(root, peer, shape, sync) {
  if (peer === undefined) return appended(root, shape, sync);
  if (!sync) return filled(root, peer, shape);
  // Not the shared store: some peers can only choose at opening whether to sync.
  if (leftOut(peer, shape)) throw new Error(leftOut(peer, shape));
  const folder = mkdtempSync(join(root, 'synced-'));
  const store = await peerNamed(peer).open(folder, shape);
  await fill(store, shape);
  await store.close();
  return peerNamed(peer).open(folder, { ...shape, sync: true });
}

/**
 * The floor of a store: hits of the floor addon, and puts that append to a file.
 *
 * @param {string} root
 * @param {import('../lib/data.mjs').Shape} shape
 * @param {boolean} sync
 * @returns {import('../peers/index.mjs').Store}
 */
function appended(root, shape, sync) {
  const file = openSync(join(root, `append-${process.pid}`), 'a');
  return {
    ...openFloor(shape),
    put(_, value) {
      writeSync(file, value);
      if (sync) fdatasyncSync(file);
    },
    close: () => closeSync(file),
  };
}
