// Processes that read the same store at the same time, with and without another process that puts a value every
// millisecond.

import { setTimeout as sleep } from 'node:timers/promises';
import { Contender, prepare, reason } from '../lib/contenders.mjs';
import { keyOf, keysOf, label, makeValue, uniformOrder } from '../lib/data.mjs';
import { hitLoop, since } from '../lib/loops.mjs';
import { measure } from '../lib/measure.mjs';
import { filled } from '../lib/stores.mjs';
import { PEERS, peerNamed } from '../peers/index.mjs';

const NAMES = Object.keys(PEERS).filter(
  (name) => name === 'floor' || !(/copy|object|getBinary$|keyv|cacache/.test(name) || peerNamed(name).memory),
);
/** Hits between two looks at the clock. */
const CHUNK = 500;

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const shape = context.sizes.main;
  const names = context.wanted(NAMES);
  await prepare(context, names, shape);
  context.progress('readers at once');
  /** @type {import('../lib/contenders.mjs').Rows} */
  const absent = {};
  /** @type {Record<string, { readers: Contender[], writer: Contender }>} */
  const groups = {};
  for (const entrant of context.entrants(names, shape)) {
    const { name } = entrant;
    if (peerNamed(name).alone) entrant.absent ??= 'one process at a time';
    if (entrant.absent !== undefined) {
      absent[name] = { absent: entrant.absent };
      continue;
    }
    const members = Array.from(
      { length: Math.max(...context.sizes.readers) + 1 },
      () => new Contender('readers', entrant),
    );
    const [writer, ...readers] = /** @type {[Contender, ...Contender[]]} */ (members);
    try {
      await Promise.all(members.map((member) => member.ready()));
      groups[name] = { readers, writer };
    } catch (error) {
      absent[name] = { absent: reason(error) };
      await Promise.all(members.map((member) => member.stop()));
    }
  }
  for (const count of context.sizes.readers)
    for (const written of [false, true]) {
      const contenders = Object.entries(groups).map(([name, { readers, writer }]) => ({
        name,
        async round() {
          const busy = readers.slice(0, count).map((reader) => reader.round('read'));
          const [figures] = await Promise.all([Promise.all(busy), written && writer.round('write')]);
          return figures.reduce((sum, ns) => sum + ns, 0) / count;
        },
      }));
      const rows = await measure(contenders, { rounds: context.rounds, warmups: 1 });
      const title = `${count} ${count > 1 ? 'readers' : 'reader'}${written ? ' and a writer' : ''}`;
      context.add(title, `hit with ${title} at once, ${label(shape)}`, 'ns', { ...rows, ...absent });
    }
  for (const { readers, writer } of Object.values(groups))
    await Promise.all([writer, ...readers].map((member) => member.stop()));
}

/**
 * A round that reads random entries until its time is over, and returns the nanoseconds per hit.
 *
 * @param {import('../peers/index.mjs').Store} store
 * @param {number} count
 * @param {number} ms
 */
export function reading(store, count, ms) {
  const keys = keysOf(count);
  const order = uniformOrder(CHUNK * 400, count);
  const loop = hitLoop();
  let at = 0;
  return () => {
    const started = process.hrtime.bigint();
    const end = started + BigInt(Math.round(ms * 1e6));
    let hits = 0;
    do {
      if (at + CHUNK > order.length) at = 0;
      loop(store.get, keys, order, at, at + CHUNK);
      at += CHUNK;
      hits += CHUNK;
    } while (process.hrtime.bigint() < end);
    return since(started) / hits;
  };
}

/** @param {{ peer: string, shape: import('../lib/data.mjs').Shape, root: string, ms: number }} spec */
export async function inChild({ peer, shape, root, ms }) {
  const store = await filled(root, peer, shape);
  // Long enough that all processes run at the same time for most of the round.
  const long = ms * 3;
  const value = makeValue(1, shape.bytes);
  let next = 0;
  const write = async () => {
    const end = Date.now() + long;
    while (Date.now() < end) {
      await store.put(keyOf(next++ % 1000, '/home/user/writer'), value);
      await sleep(1);
    }
    return next;
  };
  return {
    tasks: { read: async () => reading(store, shape.count, long), write: async () => write },
    close: () => store.close(),
  };
}
