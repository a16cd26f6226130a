// Compaction of a store in which half of the entries were replaced. The floor is one plain write of the bytes that
// remain, synced and renamed into place.

import { closeSync, fsyncSync, mkdtempSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compete } from '../lib/contenders.mjs';
import { batches, label, makeValue } from '../lib/data.mjs';
import { since } from '../lib/loops.mjs';
import { fill } from '../lib/stores.mjs';
import { peerNamed } from '../peers/index.mjs';

const NAMES = ['warmshard', 'lmdb getBinaryFast', 'better-sqlite3', 'node:sqlite', 'classic-level'];
const WRITE = 'one write of the same bytes, synced';
const ROUNDS = 5;

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const shape = context.sizes.main;
  context.progress('compaction');
  const entrants = context.entrants(NAMES, shape);
  for (const entrant of entrants)
    if (/lmdb/.test(entrant.name)) entrant.absent ??= 'reuses pages, never shrinks its file';
  entrants.push({ name: WRITE, spec: { shape, root: context.root }, absent: undefined, env: undefined });
  const rounds = Math.min(ROUNDS, context.rounds);
  const { results } = await compete(context, 'compaction', entrants, { rounds, warmups: 1 });
  context.add('compaction', `compaction of ${label(shape)}, half of it replaced`, 'ms', results.compact);
}

/** @param {{ peer?: string, shape: import('../lib/data.mjs').Shape, root: string }} spec */
export async function inChild({ peer, shape, root }) {
  if (peer === undefined) return { tasks: { compact: async () => plainWrite(shape, root) } };
  const store = await peerNamed(peer).open(mkdtempSync(join(root, 'compact-')), shape);
  await fill(store, shape);
  const half = { ...shape, count: shape.count >> 1 };
  const compact = async () => async () => {
    for (const batch of batches(half)) await store.load(batch);
    const started = process.hrtime.bigint();
    await store.compact?.();
    return since(started) / 1e6;
  };
  return { tasks: { compact }, close: () => store.close() };
}

/** @param {import('../lib/data.mjs').Shape} shape @param {string} root */
function plainWrite({ count, bytes }, root) {
  const all = Buffer.concat(Array.from({ length: count }, (_, i) => makeValue(i, bytes)));
  const path = join(mkdtempSync(join(root, 'plain-')), 'all');
  return () => {
    const started = process.hrtime.bigint();
    const file = openSync(`${path}.new`, 'w');
    for (let at = 0; at < all.length; ) at += writeSync(file, all, at);
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
    return since(started) / 1e6;
  };
}
