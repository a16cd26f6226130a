import { join } from 'node:path';

/** @param {string} folder @returns {Promise<import('./index.mjs').Store>} */
export async function openKeyv(folder) {
  const [{ Keyv }, { KeyvSqlite }] = await Promise.all([import('keyv'), import('@keyv/sqlite')]);
  const store = new KeyvSqlite({ uri: `sqlite://${join(folder, 'bench.sqlite')}`, busyTimeout: 5000 });
  const keyv = new Keyv({ store });
  return {
    get: (key) => keyv.get(key),
    put: (key, value) => keyv.set(key, value),
    load: async (entries) => {
      // Without this each `set` would be a transaction of its own, with a sync.
      await store.query('BEGIN');
      await Promise.all(entries.map(([key, value]) => keyv.set(key, value)));
      await store.query('COMMIT');
    },
    close: () => keyv.disconnect(),
  };
}
