import { join } from 'node:path';

/**
 * @param {string} folder
 * @param {import('./index.mjs').StoreOptions} storeOptions
 * @param {import('warmshard').ShardOptions} [options]
 * @returns {Promise<import('./index.mjs').Store>}
 */
export async function openShard(folder, { sync = false }, options = {}) {
  const { Shard } = await import('warmshard');
  const shard = Shard.open(join(folder, 'bench.shard'), {
    // More than any case needs.
    maxBytes: 16 * 2 ** 30,
    autoCompact: false,
    durability: sync ? 'sync' : 'flush',
    ...options,
  });
  return {
    get: (key) => shard.get(key),
    getMany: (keys) => /** @type {Uint8Array[]} */ (shard.getMany(keys)),
    put: (key, value) => shard.put(key, value),
    load: (entries) => shard.mergeIn(entries),
    replace: (entries) => shard.replaceAll(entries),
    compact: () => shard.compact(),
    flush: () => shard.flush(),
    close: () => shard.close(),
  };
}
