// Another process that writes or compacts until it is killed: see main.mjs.

import { Shard, WarmshardError } from 'warmshard';

const [path, what] = /** @type {[string, string]} */ (process.argv.slice(2));
const shard = Shard.open(path, { maxBytes: 8 * 2 ** 30, autoCompact: false });
console.log('begun');
for (let i = 0; ; i++) {
  try {
    if (what === 'compact') shard.compact();
    else shard.put(`other ${i % 1000}`, new Uint8Array(4096));
  } catch (error) {
    // On a slow disk another process may hold the lock this long.
    if (!(error instanceof WarmshardError) || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
  }
  await new Promise((done) => setTimeout(done, what === 'compact' ? 500 : 1));
}
