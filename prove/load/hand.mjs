// One process or thread of the load, which looks up and puts: see main.mjs.

import { isMainThread, parentPort } from 'node:worker_threads';
import { Shard } from 'warmshard';
import { LENT_MIB } from '../lib/bounds.mjs';
import { lent, own } from '../lib/heap.mjs';
import { random } from '../lib/random.mjs';
import { bytesOf, tagOf } from '../lib/values.mjs';

const [path, seconds, seed, maxBytes] = /** @type {[string, string, string, string]} */ (
  process.argv.slice(2)
);
const next = random(Number(seed));
// With far more processes than cores, the holder of the lock may wait long for a core. main.mjs judges how long a put may take.
const shard = Shard.open(path, { maxBytes: Number(maxBytes), lockTimeout: 60_000 });
const told = { gets: 0, hits: 0, puts: 0, longestGet: 0, longestPut: 0, growth: 0, lent: 0 };
const begun = Date.now();
const [half, until] = [begun + Number(seconds) * 500, begun + Number(seconds) * 1000];
/** The memory of the process, and how much of it is allocated from the C library. Only the main thread measures it. */
async function memory() {
  if (!isMainThread) return { own: 0, lent: 0 };
  // Some memory is freed on other threads, and finalizers run when the event loop has time for them.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((done) => setTimeout(done, 10));
  }
  return { own: own(), lent: lent() ?? 0 };
}
/** @type {Awaited<ReturnType<typeof memory>> | undefined} */
let early;
while (Date.now() < until || told.puts === 0) {
  for (let i = 0; i < 20; i++) {
    const key = `key ${next(3000)}`;
    const from = performance.now();
    if (next(20) === 0) {
      shard.put(key, bytesOf(key, next(30)));
      told.puts++;
      told.longestPut = Math.max(told.longestPut, performance.now() - from);
    } else {
      const value = shard.get(key);
      told.longestGet = Math.max(told.longestGet, performance.now() - from);
      told.gets++;
      if (value === undefined) continue;
      tagOf(key, value);
      told.hits++;
    }
  }
  if (early === undefined && Date.now() > half) early = await memory();
  // Lets other threads and finalizers run.
  await new Promise(setImmediate);
}
let late = await memory();
// A running compaction needs memory; wait for its end.
for (let i = 0; i < 20 && late.lent > (early ?? late).lent + LENT_MIB; i++) late = await memory();
told.growth = late.own - (early ?? late).own;
told.lent = late.lent - (early ?? late).lent;
shard.close();
if (isMainThread) console.log(JSON.stringify(told));
else parentPort?.postMessage(told);
