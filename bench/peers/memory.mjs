// Values that are in memory already: a limit for hits, since these stores neither outlive their process nor are shared.

/** Entries that may be added before the LRU cache evicts one. */
const ROOM = 500_000;

/** @returns {import('./index.mjs').Store} */
export function openMap() {
  /** @type {Map<string, Buffer>} */
  const map = new Map();
  return {
    get: (key) => map.get(key),
    put: (key, value) => map.set(key, value),
    load: (entries) => {
      for (const [key, value] of entries) map.set(key, value);
    },
    close: () => map.clear(),
  };
}

/** @param {import('./index.mjs').StoreOptions} options @returns {Promise<import('./index.mjs').Store>} */
export async function openLru({ count }) {
  const { LRUCache } = await import('lru-cache');
  /** @type {InstanceType<typeof LRUCache<string, Buffer>>} */
  const lru = new LRUCache({ max: count + ROOM });
  return {
    get: (key) => lru.get(key),
    put: (key, value) => lru.set(key, value),
    load: (entries) => {
      for (const [key, value] of entries) lru.set(key, value);
    },
    close: () => lru.clear(),
  };
}
