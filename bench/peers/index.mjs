// The peers by name. A peer's package is loaded when its store is opened, so the suite runs even if one is missing.

import { fastDoor } from './doors.mjs';

/**
 * @typedef {object} Store
 * @property {(key: string) => unknown} get returns the bytes or `undefined`
 * @property {(key: string) => unknown} [miss] called instead of `get` when misses are measured
 * @property {(keys: string[]) => Iterable<Uint8Array> | Promise<Iterable<Uint8Array>>} [getMany]
 * @property {(key: string, value: Buffer) => unknown} put
 * @property {(entries: [string, Buffer][]) => unknown} load stores a batch, in one transaction if the peer has them
 * @property {(entries: [string, Buffer][]) => unknown} [replace] replaces all entries by a batch
 * @property {() => unknown} [compact]
 * @property {() => unknown} [flush]
 * @property {() => unknown} close
 *
 * @typedef {object} StoreOptions
 * @property {number} count entries that the store will hold
 * @property {number} bytes size of each value
 * @property {boolean} [sync] whether a put that has returned must survive a power cut
 *
 * @typedef {object} Peer
 * @property {(folder: string, options: StoreOptions) => Promise<Store>} open
 * @property {string} [files] peers with the same value here read the same files
 * @property {boolean} [memory] whether it has no files, so that each process has to fill it
 * @property {boolean} [awaited] whether its `get` returns a promise
 * @property {boolean} [awaitedPut] whether its `put` returns a promise
 * @property {boolean} [alone] whether only one process at a time can open a store
 * @property {boolean} [batch] whether it loads a batch faster than entry by entry
 * @property {number} [most] most entries; loading more would take minutes
 * @property {number} [mostBytes] most bytes of all values; more does not fit its file or memory
 * @property {number} [node] lowest major version of Node.js
 * @property {Record<string, string>} [env]
 */

/** @type {Record<string, Peer>} */
export const PEERS = {
  Map: { memory: true, open: async () => (await import('./memory.mjs')).openMap() },
  'lru-cache': { memory: true, open: async (_, options) => (await import('./memory.mjs')).openLru(options) },
  floor: { memory: true, open: async (_, options) => (await import('./floor.mjs')).openFloor(options) },
  warmshard: {
    files: 'warmshard',
    batch: true,
    open: async (folder, options) => (await import('./warmshard.mjs')).openShard(folder, options),
  },
  'warmshard, copy': {
    files: 'warmshard',
    open: async (folder, options) =>
      (await import('./warmshard.mjs')).openShard(folder, options, { copy: true }),
  },
  'warmshard, read': {
    files: 'warmshard',
    open: async (folder, options) =>
      (await import('./warmshard.mjs')).openShard(folder, options, { access: 'read' }),
  },
  'lmdb getBinaryFast': {
    files: 'lmdb',
    batch: true,
    open: async (folder, options) => (await import('./lmdb.mjs')).openLmdb(folder, options, 'getBinaryFast'),
  },
  'lmdb object cache': {
    files: 'lmdb',
    open: async (folder, options) => (await import('./lmdb.mjs')).openLmdb(folder, options, 'get'),
  },
  'lmdb getBinary': {
    files: 'lmdb',
    open: async (folder, options) => (await import('./lmdb.mjs')).openLmdb(folder, options, 'getBinary'),
  },
  'classic-level': {
    alone: true,
    batch: true,
    awaitedPut: true,
    open: async (folder, options) => (await import('./level.mjs')).openLevel(folder, options),
  },
  'better-sqlite3': {
    files: 'sqlite',
    batch: true,
    node: 22,
    open: async (folder, options) => (await import('./sqlite.mjs')).openBetter(folder, options),
  },
  'node:sqlite': {
    files: 'sqlite',
    batch: true,
    node: 22,
    open: async (folder, options) => (await import('./sqlite.mjs')).openNode(folder, options),
  },
  'one file per entry': {
    most: 100_000,
    open: async (folder, options) => (await import('./files.mjs')).openFiles(folder, options),
  },
  'flat-cache': {
    alone: true,
    most: 100_000,
    mostBytes: 2 ** 27,
    open: async (folder) => (await import('./flat-cache.mjs')).openFlatCache(folder),
  },
  'keyv + sqlite': {
    awaited: true,
    awaitedPut: true,
    most: 10_000,
    open: async (folder) => (await import('./keyv.mjs')).openKeyv(folder),
  },
  cacache: {
    awaited: true,
    awaitedPut: true,
    most: 10_000,
    open: async (folder) => (await import('./cacache.mjs')).openCacache(folder),
  },
};

if (fastDoor())
  PEERS['warmshard, Node-API'] = { .../** @type {Peer} */ (PEERS.warmshard), env: { WARMSHARD_FAST: '0' } };

/** @param {string} name @returns {Peer} */
export function peerNamed(name) {
  const peer = PEERS[name];
  if (peer === undefined) throw new Error(`no peer ${name}; there are ${Object.keys(PEERS).join(', ')}`);
  return peer;
}

/** Why a peer is left out of a shape, or `undefined`. @param {string} name @param {import('../lib/data.mjs').Shape} shape */
export function leftOut(name, { count, bytes }) {
  const { most, mostBytes, node } = peerNamed(name);
  if (node !== undefined && Number.parseInt(process.versions.node, 10) < node)
    return `needs Node.js ${node} or newer`;
  if (most !== undefined && count > most) return 'left out: loading takes minutes';
  if (mostBytes !== undefined && count * bytes > mostBytes) return 'left out: too large for it';
  return undefined;
}
