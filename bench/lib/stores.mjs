// Filled stores: each is made once, then used by every case and by every peer that reads the same files.

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peerNamed } from '../peers/index.mjs';
import { batches } from './data.mjs';

/**
 * @typedef {import('./data.mjs').Shape} Shape
 * @typedef {import('../peers/index.mjs').Store} Store
 */

/** @param {string} root @param {string} peer @param {Shape} shape */
export function folderOf(root, peer, { count, bytes }) {
  return join(root, `${count}x${bytes}`, (peerNamed(peer).files ?? peer).replace(/\W/g, '-'));
}

/** @param {Store} store @param {Shape} shape */
export async function fill(store, shape) {
  for (const batch of batches(shape)) await store.load(batch);
  await store.flush?.();
}

/**
 * A store of this peer, filled to the shape.
 *
 * @param {string} root
 * @param {string} name
 * @param {Shape} shape
 */
export async function filled(root, name, shape) {
  const peer = peerNamed(name);
  const folder = folderOf(root, name, shape);
  const done = `${folder}.done`;
  mkdirSync(folder, { recursive: true });
  const store = await peer.open(folder, shape);
  if (!peer.memory && existsSync(done)) return store;
  await fill(store, shape);
  writeFileSync(done, '');
  if (peer.memory) return store;
  // Open it again, so that the caller sees what another process would see.
  await store.close();
  return peer.open(folder, shape);
}

/** Deletes all stores of a shape. @param {string} root @param {Shape} shape */
export function drop(root, { count, bytes }) {
  rmSync(join(root, `${count}x${bytes}`), { recursive: true, force: true });
}

/** Bytes that a folder or file takes on the disk. @param {string} path @returns {number} */
export function diskBytes(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.blocks * 512;
  return readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name)), stat.blocks * 512);
}
