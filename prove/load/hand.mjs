// One of those who look up and put, a process or a thread: see main.mjs.

import { readFileSync } from 'node:fs';
import { isMainThread, parentPort } from 'node:worker_threads';
import { Shard } from 'warmshard';
import { random } from '../lib/random.mjs';
import { bytesOf, tagOf } from '../lib/values.mjs';

const [path, seconds, seed, maxBytes] = /** @type {[string, string, string, string]} */ (
  process.argv.slice(2)
);
const next = random(Number(seed));
const shard = Shard.open(path, { maxBytes: Number(maxBytes) });
const told = { gets: 0, hits: 0, puts: 0, longestGet: 0, longestPut: 0, growth: 0 };
const begun = Date.now();
const [half, until] = [begun + Number(seconds) * 500, begun + Number(seconds) * 1000];
/** What the process has beside mapped files, in MiB: that of all threads, so that only the first one asks. */
function memory() {
  if (!isMainThread) return 0;
  globalThis.gc?.();
  if (process.platform !== 'linux') return process.memoryUsage().heapUsed / 2 ** 20;
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}
let early = 0;
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
  if (early === 0 && Date.now() > half) early = memory();
  // Between two turns others run, and finalizers.
  await new Promise(setImmediate);
}
told.growth = memory() - (early || memory());
shard.close();
if (isMainThread) console.log(JSON.stringify(told));
else parentPort?.postMessage(told);
