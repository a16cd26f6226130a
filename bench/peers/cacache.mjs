import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Not a literal, so that TypeScript does not look for type declarations, which cacache lacks. @type {string} */
const NAME = 'cacache';
/** Puts that run at the same time while a batch is loaded. */
const AT_ONCE = 50;

/** @param {string} folder @returns {Promise<import('./index.mjs').Store>} */
export async function openCacache(folder) {
  const cacache = require(NAME);
  return {
    get: async (key) => {
      try {
        return (await cacache.get(folder, key)).data;
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
        return undefined;
      }
    },
    put: (key, value) => cacache.put(folder, key, value),
    load: async (entries) => {
      for (let i = 0; i < entries.length; i += AT_ONCE)
        await Promise.all(
          entries.slice(i, i + AT_ONCE).map(([key, value]) => cacache.put(folder, key, value)),
        );
    },
    close: () => {},
  };
}
