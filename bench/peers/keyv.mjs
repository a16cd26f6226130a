import { join } from 'node:path';

/** Puts under way at once while loading. */
const AT_ONCE = 500;

/** @param {string} folder @returns {Promise<import('./index.mjs').Store>} */
export async function openKeyv(folder) {
  const [{ Keyv }, { KeyvSqlite }] = await Promise.all([import('keyv'), import('@keyv/sqlite')]);
  const store = new KeyvSqlite({ uri: `sqlite://${join(folder, 'bench.sqlite')}`, busyTimeout: 5000 });
  const keyv = new Keyv({ store });
  return {
    get: (key) => keyv.get(key),
    put: (key, value) => keyv.set(key, value),
    load: async (entries) => {
      for (let i = 0; i < entries.length; i += AT_ONCE)
        await Promise.all(entries.slice(i, i + AT_ONCE).map(([key, value]) => keyv.set(key, value)));
    },
    close: () => keyv.disconnect(),
  };
}
