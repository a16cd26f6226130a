// Every method of every store, by name. `callAll` calls those that a store has.

const BYTES = new Uint8Array(100).fill(3);
const KEYS = Array.from({ length: 30 }, (_, i) => `key ${i}`);

/**
 * @param {any} store
 * @param {string | Uint8Array} key
 * @param {(work: () => unknown) => unknown} may runs a call that may throw a WarmshardError
 */
export function callAll(store, key, may) {
  /** @type {Record<string, () => unknown>} */
  const all = {
    keys: () => [...store.keys()],
    entries: () => [...store.entries()],
    list: () => store.list(),
    info: () => store.info(key),
    getMany: () => store.getMany(KEYS),
    getParts: () => store.getParts(key),
    has: () => store.has(key),
    get: () => store.get(key, 1000, 1),
    load: () => store.load('/src/key 1'),
    loadAll: () => store.loadAll(),
    output: () => KEYS.map((key, i) => store.output(key, i % 3)),
    cachedNames: () => store.cachedNames(),
    missing: () => store.missing(KEYS),
    stats: () => store.stats(),
    metrics: () => store.metrics(),
    durability: () => store.durability(),
    durabilityReport: () => store.durabilityReport(),
    verify: () => store.verify(),
    totalSizeBytes: () => store.totalSizeBytes(),
    put: () => (store.load ? store.put('/src/new', 1, 1, { code: BYTES }) : store.put(key, BYTES)),
    putOne: () => store.putOne('new', BYTES),
    insert: () => store.insert('new', { outputNames: ['a'], outputSizes: [1] }),
    putOutputs: () => store.putOutputs('new', [BYTES]),
    remove: () => store.remove(key),
    delete: () => store.delete('key 5'),
    mergeIn: () =>
      store.mergeIn([
        ['m 1', BYTES],
        ['m 2', BYTES],
      ]),
    evictStale: () => store.evictStale(),
    evictTo: () => store.evictTo(10_000),
    compact: () => store.compact(),
    flush: () => store.flush(),
    replaceAll: () => store.replaceAll([['r', BYTES]]),
    clear: () => store.clear(),
    close: () => store.close(),
  };
  for (const [name, call] of Object.entries(all)) if (typeof store[name] === 'function') may(call);
}
