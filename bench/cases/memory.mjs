// Private memory of a fresh process that opens a store and gets one value, and of a process that has read all values;
// and the size of the store on disk. Pages of a mapped file are shared with the page cache and do not count.

import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Contender, prepare, reason } from '../lib/contenders.mjs';
import { keyOf, label } from '../lib/data.mjs';
import { measure, once } from '../lib/measure.mjs';
import { diskBytes, filled, folderOf } from '../lib/stores.mjs';
import { leftOut, PEERS, peerNamed } from '../peers/index.mjs';
import { start } from './starts.mjs';

const ROUNDS = 3;
const NAMES = Object.keys(PEERS).filter((name) => !/floor|copy|read|Node-API|object|getBinary$/.test(name));

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { main, large } = context.sizes;
  const few = NAMES.filter((name) => !/cacache|keyv|flat|file/.test(name));
  await memory(context, main, context.wanted(context.sizes.wide ? NAMES : few));
  await memory(context, large, context.wanted(['warmshard', 'lmdb getBinaryFast']));
  /** @type {import('../lib/contenders.mjs').Rows} */
  const disk = { 'keys and values alone': once(((main.bytes + keyOf(0).length) * main.count) / 2 ** 20) };
  for (const name of context.wanted(NAMES)) {
    const folder = folderOf(context.root, name, main);
    if (existsSync(`${folder}.done`) && !peerNamed(name).memory)
      disk[name] = once(diskBytes(folder) / 2 ** 20);
  }
  context.add('disk', `size on disk, ${label(main)}`, 'MiB', disk);
}

/**
 * @param {import('../lib/context.mjs').Context} context
 * @param {import('../lib/data.mjs').Shape} shape
 * @param {string[]} names
 */
async function memory(context, shape, names) {
  context.progress(`memory, ${label(shape)}`);
  const files = names.filter((name) => !peerNamed(name).memory);
  await prepare(context, files, shape);
  const nothing = { name: 'empty', round: async () => start('empty', '-', keyOf(1), 'memory').private };
  const opens = context.entrants(files, shape).map((entrant) => ({
    ...entrant,
    round: async () =>
      start(entrant.name, folderOf(context.root, entrant.name, shape), keyOf(1), 'memory').private,
  }));
  const reads = context.entrants(names, shape).map((entrant) => ({
    ...entrant,
    async round() {
      const contender = new Contender('memory', entrant);
      try {
        return /** @type {number} */ ((await contender.ready()).info);
      } finally {
        await contender.stop();
      }
    },
  }));
  const id = label(shape);
  context.add(
    `memory opened ${id}`,
    `private memory of open and first get, ${id}`,
    'KiB',
    await rows(context, [nothing, ...opens]),
  );
  if (!context.sizes.wide && shape === context.sizes.large) return;
  context.add(
    `memory all ${id}`,
    `private memory after reading all values, ${id}`,
    'KiB',
    await rows(context, reads),
  );
}

/**
 * @param {import('../lib/context.mjs').Context} context
 * @param {{ name: string, absent?: string | undefined, round: () => Promise<number> }[]} contenders
 */
async function rows(context, contenders) {
  /** @type {import('../lib/contenders.mjs').Rows} */
  const absent = {};
  const able = contenders.filter(({ name, absent: why }) => {
    if (why !== undefined) absent[name] = { absent: why };
    return why === undefined;
  });
  const careful = able.map(({ name, round }) => ({
    name,
    round: () =>
      round().catch((error) => {
        absent[name] = { absent: reason(error) };
        return Number.NaN;
      }),
  }));
  const rounds = Math.min(ROUNDS, context.rounds);
  return { ...(await measure(careful, { rounds, warmups: 0 })), ...absent };
}

/** Private memory of this process in KiB, after a garbage collection. */
function anonymous() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return Number(/^Anonymous: +(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))?.[1]);
}

/** @param {{ peer: string, shape: import('../lib/data.mjs').Shape, root: string }} spec */
export async function inChild({ peer, shape, root }) {
  if (leftOut(peer, shape)) throw new Error(leftOut(peer, shape));
  // Use an almost empty store first, so that the memory of the module and its code does not count as the store's.
  const probe = await peerNamed(peer).open(mkdtempSync(join(root, 'probe-')), {
    count: 1,
    bytes: shape.bytes,
  });
  await probe.get(keyOf(0));
  await probe.close();
  anonymous();
  const before = anonymous();
  const store = await filled(root, peer, shape);
  let sum = 0;
  for (let i = 0; i < shape.count; i++) {
    const value = /** @type {Uint8Array} */ (await store.get(keyOf(i)));
    for (let at = 0; at < value.length; at += 64) sum += value[at] ?? 0;
  }
  if (Number.isNaN(sum)) throw new Error(`${peer} lost a value`);
  return { tasks: {}, info: anonymous() - before, close: () => store.close() };
}
