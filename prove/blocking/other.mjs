// Another process that writes, or compacts, without end: see main.mjs.

import { Shard } from 'warmshard';

const [path, what] = /** @type {[string, string]} */ (process.argv.slice(2));
const shard = Shard.open(path, { maxBytes: 8 * 2 ** 30, autoCompact: false });
for (let i = 0; ; i++) {
  if (what === 'compact') shard.compact();
  else shard.put(`other ${i % 1000}`, new Uint8Array(4096));
  await new Promise((done) => setTimeout(done, what === 'compact' ? 500 : 1));
}
