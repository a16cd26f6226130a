// How long a synchronous call blocks the event loop at worst. Times every call on a large shard while other processes write to
// it and compact it, and compares each with its bound in lib/bounds.mjs. Calls that can take long have an asynchronous form.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { Shard, WarmshardError } from 'warmshard';
import { boundsOf } from '../lib/bounds.mjs';
import { options, progress, report, scratch } from '../lib/options.mjs';
import { coreless, now, plainly, witness } from '../lib/patience.mjs';

const { seconds, mib = seconds < 30 ? 64 : 1024 } = options(60);
const dir = scratch({ disk: true });
const path = `${dir}/large.shard`;
const how = { maxBytes: 8 * 2 ** 30, autoCompact: false };
const shard = Shard.open(path, how);
const value = new Uint8Array(16 << 10);
const count = (mib << 20) / value.length;
for (let i = 0; i < count; i += 4096) {
  shard.mergeIn(Array.from({ length: Math.min(4096, count - i) }, (_, n) => [`key ${i + n}`, value]));
  progress(`${Math.round((100 * i) / count)} % of ${mib} MiB`);
}
progress('');
shard.flush();

const other = fileURLToPath(new URL('other.mjs', import.meta.url));
const others = ['put', 'compact'].map((what) =>
  spawn(process.execPath, [other, path, what], { stdio: ['ignore', 'pipe', 'inherit'] }),
);
await Promise.all(others.map((it) => new Promise((done) => it.once('exit', done).stdout.once('data', done))));

/** Calls that write or sync the whole file. On a slow disk they may take this many times as long as a plain write of it. */
const WRITES = new Set(['flush', 'evictStale', 'compact', 'replaceAll', 'clear']);
const SLOWER = 10;

let n = 0;
const key = () => {
  n = (n * 1_103_515_245 + 12_345) & 0x7fffffff;
  return `key ${n % count}`;
};
/** @type {Record<string, { every: number, call: () => unknown }>} */
const CALLS = {
  get: { every: 1, call: () => shard.get(key()) },
  has: { every: 1, call: () => shard.has(key()) },
  'get, absent': { every: 1, call: () => shard.get('absent') },
  put: { every: 5, call: () => shard.put(key(), value) },
  delete: { every: 20, call: () => shard.delete('absent, too') },
  'mergeIn of 100': {
    every: 200,
    call: () => shard.mergeIn(Array.from({ length: 100 }, () => [key(), value])),
  },
  'open, first get, close': {
    every: 100,
    call() {
      const it = Shard.open(path, how);
      it.get(key());
      it.close();
    },
  },
  info: { every: 10, call: () => shard.info(key()) },
  durability: { every: 10, call: () => shard.durability() },
  stats: { every: 4000, call: () => shard.stats() },
  flush: { every: 500, call: () => shard.flush() },
  keys: { every: 3000, call: () => shard.keys().next() },
  list: { every: 20_000, call: () => shard.list() },
  verify: { every: 40_000, call: () => shard.verify() },
  evictStale: { every: 40_002, call: () => shard.evictStale() },
  compact: { every: 40_001, call: () => shard.compact() },
};
/** Calls that replace or delete all entries. Each is made once, at the end. @type {Record<string, () => unknown>} */
const LAST = {
  replaceAll: () => shard.replaceAll(Array.from({ length: count }, (_, i) => [`key ${i}`, value])),
  clear: () => shard.clear(),
};
const machine = await witness();
/** Calls that took longer than their bound. @type {{ name: string, from: number, to: number, queued: number | undefined }[]} */
const late = [];
const bounds = boundsOf(mib);
let refused = 0;
/** @param {string} name @param {() => unknown} call @param {boolean} [large] whether to measure how long it waits for a core */
function time(name, call, large = false) {
  const before = large ? coreless() : 0;
  const from = now();
  try {
    call();
  } catch (error) {
    // On a slow disk another process may hold the lock too long. This error, in time, is then what the caller is promised.
    if (!(error instanceof WarmshardError) || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
    refused++;
  }
  const to = now();
  if (!(to - from <= (bounds[name] ?? 0)))
    late.push({ name, from, to, queued: large ? coreless() - before : undefined });
  return to - from;
}
/** @type {Map<string, number[]>} */
const took = new Map(Object.keys(CALLS).map((name) => [name, []]));
const until = Date.now() + seconds * 1000;
/** Whether a call has not been made yet. When the time is over, each of these is made once. */
const missing = () => [...took.values()].some((times) => times.length === 0);
for (let round = 1; Date.now() < until || missing(); round++) {
  for (const [name, { every, call }] of Object.entries(CALLS)) {
    if (round % every !== 0 && !(Date.now() >= until && took.get(name)?.length === 0)) continue;
    took.get(name)?.push(time(name, call, every >= 100));
  }
  if (round % 200 === 0) await new Promise(setImmediate);
}
for (const [name, call] of Object.entries(LAST)) took.set(name, [time(name, call, true)]);
/** How long the disk takes for a plain file of this size; measured only if a call was late. */
const plain = late.length > 0 ? plainly(dir, mib) : 0;
/** @type {string[]} */
const wrong = [];
for (const it of others) {
  if (it.exitCode !== null || it.signalCode !== null)
    wrong.push(`another process ended with ${it.signalCode ?? it.exitCode}`);
  it.kill('SIGKILL');
}
await Promise.all(
  others.map((it) => it.exitCode ?? it.signalCode ?? new Promise((done) => it.once('exit', done))),
);
// No other process can hold the lock now.
shard.put('last', value);
if (shard.get('last')?.length !== value.length) wrong.push('the last put is not there');
shard.close();

const table = new Table({
  head: ['call', 'calls', 'median ms', '99.9 % ms', 'worst ms', 'bound ms'],
  style: { head: [], border: [] },
});
let closest = 0;
for (const [name, times] of took) {
  times.sort((a, b) => a - b);
  /** @param {number} share */
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  const bound = bounds[name] ?? 0;
  table.push([name, times.length, at(0.5).toFixed(3), at(0.999).toFixed(2), at(1).toFixed(1), bound]);
  closest = Math.max(closest, at(1) / bound);
}
console.log(table.toString());
for (const { name, from, to, queued } of late) {
  const bound = WRITES.has(name)
    ? Math.max(bounds[name] ?? 0, (bounds.put ?? 0) + SLOWER * plain)
    : (bounds[name] ?? 0);
  const stood = machine.during(from, to, queued !== undefined) + (queued ?? 0);
  const told = `${name} took ${Math.round(to - from)} ms, or ${Math.round(to - from - stood)} ms without pauses of the machine; its bound is ${Math.round(bound)} ms`;
  if (!(to - from - stood <= bound)) wrong.push(told);
  else console.log(told);
}
await machine.end();
report(
  'blocking',
  `a shard of ${mib} MiB while others write and compact: ${took.size} synchronous calls within their bounds, the closest at ${Math.round(closest * 100)} %; ${refused} calls timed out waiting for the lock`,
  wrong,
);
