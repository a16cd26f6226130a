// Many entries in one batch: into a new store, in place of all entries, and merged into a filled store. The floor is
// one plain write of the same bytes to a file.

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compete } from '../lib/contenders.mjs';
import { keyOf, label, makeValue } from '../lib/data.mjs';
import { since } from '../lib/loops.mjs';
import { filled } from '../lib/stores.mjs';
import { leftOut, PEERS, peerNamed } from '../peers/index.mjs';

const BYTES = 1024;
const WRITE = 'one write of the same bytes';
const LOADERS = [
  'Map',
  ...Object.keys(PEERS).filter((name) => peerNamed(name).batch && !/Node-API/.test(name)),
];
/** Entries merged into a large store. */
const MERGED = 1000;

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { batch, main, large } = context.sizes;
  const shape = { count: batch, bytes: BYTES };
  const rounds = Math.max(1, context.rounds >> 1);
  context.progress(`batches, ${label(shape)}`);
  const written = { name: WRITE, spec: { shape, root: context.root } };
  const loaders = [...context.entrants(LOADERS, shape), written];
  const { results } = await compete(context, 'batches', loaders, { rounds, warmups: 1 });
  context.add('load', `one batch of ${label(shape)} into a new store`, 'ms', results.load);
  context.add('replace', `replacing all entries by ${label(shape)}`, 'ms', results.replace);
  for (const into of [main, large]) {
    context.progress(`merging into ${label(into)}`);
    const some = into === large ? ['warmshard', 'lmdb getBinaryFast'] : LOADERS;
    const bytes = { name: WRITE, spec: { shape: { count: MERGED, bytes: BYTES }, root: context.root, into } };
    const entrants = [...context.entrants(some, shape, { into }), bytes];
    const merged = await compete(context, 'batches', entrants, { rounds, warmups: 1 });
    context.add(
      `merge ${label(into)}`,
      `${MERGED} x 1 KiB in one batch into ${label(into)}`,
      'ms',
      merged.results.merge,
    );
  }
}

/** @typedef {import('../lib/data.mjs').Shape} Shape */

/** @param {{ peer?: string, shape: Shape, root: string, into?: Shape }} spec */
export async function inChild({ peer, shape, root, into }) {
  if (peer === undefined) {
    const write = plainWrite(shape, root);
    return { tasks: into === undefined ? { load: write, replace: write } : { merge: write } };
  }
  if (into !== undefined) return merging(peer, into, root);
  const entries = Array.from({ length: shape.count }, (_, i) => entry(i));
  const others = entries.map((_, i) => entry(i, '/home/user/replaced'));
  const { open } = peerNamed(peer);
  const load = async () => async () => {
    const folder = mkdtempSync(join(root, 'load-'));
    const started = process.hrtime.bigint();
    const store = await open(folder, shape);
    await store.load(entries);
    const took = since(started) / 1e6;
    await store.close();
    rmSync(folder, { recursive: true, force: true });
    return took;
  };
  const replace = async () => {
    const store = await open(mkdtempSync(join(root, 'replace-')), shape);
    let turn = 0;
    return async () => {
      const started = process.hrtime.bigint();
      await store.replace?.(turn++ % 2 ? entries : others);
      return since(started) / 1e6;
    };
  };
  return {
    tasks: /** @type {Record<string, any>} */ ({ load, ...(/lmdb|shard|sqlite/.test(peer) && { replace }) }),
  };
}

/** @param {number} i @param {string} [prefix] @returns {[string, Buffer]} */
const entry = (i, prefix) => [keyOf(i, prefix), makeValue(i, BYTES)];

/** @param {Shape} shape @param {string} root */
function plainWrite({ count, bytes }, root) {
  const all = Buffer.concat(Array.from({ length: count }, (_, i) => makeValue(i, bytes)));
  let made = 0;
  return async () => () => {
    const path = join(root, `plain-${process.pid}-${made++}`);
    const started = process.hrtime.bigint();
    const file = openSync(path, 'w');
    for (let at = 0; at < all.length; ) at += writeSync(file, all, at);
    closeSync(file);
    const took = since(started) / 1e6;
    rmSync(path);
    return took;
  };
}

/** @param {string} peer @param {Shape} into @param {string} root */
async function merging(peer, into, root) {
  if (leftOut(peer, into)) throw new Error(leftOut(peer, into));
  const store = await filled(root, peer, into);
  let turn = 0;
  const merge = async () => async () => {
    const prefix = `/home/user/merged-${process.pid}-${turn++}`;
    const entries = Array.from({ length: MERGED }, (_, i) => entry(i, prefix));
    const started = process.hrtime.bigint();
    await store.load(entries);
    return since(started) / 1e6;
  };
  return { tasks: { merge }, close: () => store.close() };
}
