// The limit: what is in memory already. Neither survives its process, nor is shared.

/** Entries that may be added without one being forgotten. */
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
