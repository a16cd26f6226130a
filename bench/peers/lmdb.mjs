import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/**
 * @param {string} folder
 * @param {import('./index.mjs').StoreOptions} options
 * @param {'get' | 'getBinary' | 'getBinaryFast'} way of reading; `get` with its cache of objects
 * @returns {import('./index.mjs').Store}
 */
export function openLmdb(folder, { sync = false }, way) {
  const { open } = /** @type {typeof import('lmdb')} */ (require('lmdb'));
  /** @type {import('lmdb').RootDatabase<Buffer, string>} */
  const db = open({
    path: join(folder, 'data.mdb'),
    encoding: 'binary',
    noSync: !sync,
    mapSize: 16 * 2 ** 30,
    cache: way === 'get',
  });
  const put = (/** @type {string} */ key, /** @type {Buffer} */ value) => db.putSync(key, value);
  return {
    get: { get: db.get, getBinary: db.getBinary, getBinaryFast: db.getBinaryFast }[way].bind(db),
    put,
    load: (entries) => {
      db.transactionSync(() => {
        for (const [key, value] of entries) put(key, value);
      });
    },
    replace: (entries) => {
      db.transactionSync(() => {
        db.clearSync();
        for (const [key, value] of entries) put(key, value);
      });
    },
    flush: () => db.flushed,
    close: () => db.close(),
  };
}
