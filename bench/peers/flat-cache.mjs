// flat-cache stores JSON, so values are encoded as base64. Every put rewrites its file.

/** @param {string} folder @returns {Promise<import('./index.mjs').Store>} */
export async function openFlatCache(folder) {
  const { FlatCache } = await import('flat-cache');
  const cache = new FlatCache({ cacheDir: folder, cacheId: 'bench', ttl: 0 });
  cache.load('bench');
  const set = (/** @type {string} */ key, /** @type {Buffer} */ value) =>
    cache.setKey(key, value.toString('base64'));
  return {
    get: (key) => {
      /** @type {string | undefined} */
      const text = cache.getKey(key);
      return text === undefined ? undefined : Buffer.from(text, 'base64');
    },
    put: (key, value) => {
      set(key, value);
      cache.save(true);
    },
    load: (entries) => {
      for (const [key, value] of entries) set(key, value);
    },
    flush: () => cache.save(true),
    close: () => cache.save(),
  };
}
