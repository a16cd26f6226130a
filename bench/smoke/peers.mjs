// The peers: each opens, loads and looks up in its own way; the rest of the benchmark does not know them apart.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Shard } from 'warmshard';

const require = createRequire(import.meta.url);

/**
 * @typedef {(key: string) => Uint8Array | undefined} Get
 * @typedef {object} Peer
 * @property {Get} get
 * @property {(key: string, value: Uint8Array) => void} put
 * @property {(entries: [string, Uint8Array][]) => void} load
 * @property {() => void} close
 */

/** As large as the million needs. */
const MAX_BYTES = 4 * 2 ** 30;

/** @param {string} path @param {import('warmshard').ShardOptions} [options] @returns {Peer & { flush(): void }} */
export function warmshardPeer(path, options = {}) {
  const shard = Shard.open(path, { maxBytes: MAX_BYTES, autoCompact: false, ...options });
  return {
    get: (key) => shard.get(key),
    put: (key, value) => shard.put(key, value),
    load: (entries) => void shard.mergeIn(entries),
    flush: () => shard.flush(),
    close: () => shard.close(),
  };
}

/** @returns {Peer} */
export function mapPeer() {
  /** @type {Map<string, Uint8Array>} */
  const map = new Map();
  return {
    get: (key) => map.get(key),
    put: (key, value) => void map.set(key, value),
    load: (entries) => {
      for (const [key, value] of entries) map.set(key, value);
    },
    close: () => map.clear(),
  };
}

/** The file that lmdb makes in its folder. */
export const LMDB_FILE = 'data.mdb';

/** lmdb with its fastest read; `undefined` where its binary does not load. @param {string} dir @returns {Peer | undefined} */
export function lmdbPeer(dir) {
  /** @type {import('lmdb').RootDatabase<Uint8Array, string>} */
  let db;
  try {
    // `noSync`: nothing that is compared with it syncs either.
    const { open } = /** @type {typeof import('lmdb')} */ (require('lmdb'));
    db = open({ path: join(dir, LMDB_FILE), encoding: 'binary', noSync: true, mapSize: MAX_BYTES });
  } catch {
    return undefined;
  }
  return {
    get: (key) => db.getBinaryFast(key),
    put: (key, value) => void db.putSync(key, /** @type {Buffer} */ (value)),
    load: (entries) => {
      db.transactionSync(() => {
        for (const [key, value] of entries) db.putSync(key, /** @type {Buffer} */ (value));
      });
    },
    close: () => void db.close(),
  };
}
