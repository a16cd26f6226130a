// Random hits and misses: one thread, 60-character keys, 1 KiB values, first and last byte touched.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_CHARS, keysOf, makeValue, randomOrder } from '../data.mjs';
import { floorAddon, floorGet } from '../floor.mjs';
import { hitLoop, missLoop, perTurn } from '../loops.mjs';
import { measure } from '../measure.mjs';
import { lmdbPeer, mapPeer, warmshardPeer } from '../peers.mjs';

/** Look-ups of a round, so that one takes some 20 to 60 ms. */
const TURNS = 200_000;
/** A slow peer makes fewer, for the same time. */
const SLOW = { lmdb: 8, 'warmshard copy': 4, 'warmshard read': 32 };
/** Rounds take turns on an order so long that none repeats the last one's keys. */
const ORDER = 1_000_000;

/**
 * A round that goes on in the order where the last one ended.
 *
 * @param {string} name
 * @param {(from: number, to: number) => number} run
 */
function walker(name, run) {
  const turns = TURNS / (SLOW[/** @type {keyof typeof SLOW} */ (name)] ?? 1);
  let at = 0;
  return {
    name,
    round() {
      if (at + turns > ORDER) at = 0;
      const from = at;
      at += turns;
      return perTurn(turns, () => void run(from, at));
    },
  };
}

/**
 * Strings that nothing has seen yet: their hash is not known, and no table holds this very object. Paths that a
 * program has just put together are such.
 *
 * @param {readonly string[]} keys
 * @param {Uint32Array} order
 * @param {number} turns
 */
function freshKeys(keys, order, turns) {
  const bytes = Buffer.alloc(turns * KEY_CHARS);
  for (let i = 0; i < turns; i++) bytes.write(keys[order[i] ?? 0] ?? '', i * KEY_CHARS, 'latin1');
  return () =>
    Array.from({ length: turns }, (_, i) => bytes.toString('latin1', i * KEY_CHARS, (i + 1) * KEY_CHARS));
}

/**
 * @param {{ dir: string, count: number, rounds: number }} options
 * @returns {Promise<Record<string, import('../measure.mjs').Figures>>}
 */
export async function lookups({ dir, count, rounds }) {
  const keys = keysOf(count);
  const absent = keysOf(count, '/home/user/another/node_modules');
  const path = join(dir, `lookups-${count}.shard`);
  const lmdbDir = join(dir, `lookups-${count}.lmdb`);
  mkdirSync(lmdbDir);
  const lmdb = lmdbPeer(lmdbDir);
  const stores = { Map: mapPeer(), ...(lmdb && { lmdb }), warmshard: warmshardPeer(path) };
  /** @type {[string, Uint8Array][]} */
  const entries = keys.map((key, i) => [key, makeValue(i)]);
  for (const store of Object.values(stores)) store.load(entries);
  const peers = {
    ...stores,
    'warmshard copy': warmshardPeer(path, { copy: true }),
    'warmshard read': warmshardPeer(path, { access: 'read' }),
  };
  /** @type {Record<string, import('../peers.mjs').Get>} */
  const gets = Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, peer.get]));
  const floor = floorAddon();
  const order = randomOrder(ORDER, count);

  const hits = Object.entries({ ...gets, ...(floor && { floor: floorGet(floor) }) }).map(([name, get]) => {
    const loop = hitLoop();
    return walker(name, (from, to) => loop(get, keys, order, from, to));
  });
  const misses = Object.entries(gets).map(([name, get]) => {
    const loop = missLoop();
    return walker(name, (from, to) => {
      const missed = loop(get, absent, order, from, to);
      if (missed !== to - from) throw new Error(`${name} found a key that was never stored`);
      return missed;
    });
  });
  const result = { hit: await measure(hits, { rounds }), miss: await measure(misses, { rounds }) };

  const turns = 20_000;
  const make = freshKeys(keys, order, turns);
  const straight = Uint32Array.from({ length: turns }, (_, i) => i);
  const fresh = ['Map', 'lmdb', 'warmshard'].flatMap((name) => {
    const get = gets[name];
    const loop = hitLoop();
    if (get === undefined) return [];
    return {
      name,
      round: () => {
        const strings = make();
        return perTurn(turns, () => void loop(get, strings, straight, 0, turns));
      },
    };
  });
  const freshFigures = await measure(fresh, { rounds });
  for (const peer of Object.values(peers)) peer.close();
  return {
    [`hit, ${label(count)}`]: result.hit,
    [`hit by a fresh string, ${label(count)}`]: freshFigures,
    [`miss, ${label(count)}`]: result.miss,
  };
}

/** @param {number} count */
export function label(count) {
  return count >= 1_000_000 ? `${count / 1_000_000}M` : `${count / 1000}k`;
}
