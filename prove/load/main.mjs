// Load: 64 processes and 16 worker threads on one shard, 95 look-ups to 5 puts. No error, nobody waits for long, memory stays
// flat, and the file stays bounded.

import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Shard } from 'warmshard';
import {
  CROWDED_LOOK_UP_MS,
  CROWDED_PUT_MS,
  GROWTH_MIB,
  LEAST_SHARE,
  LENT_MIB,
  OVERRUN,
} from '../lib/bounds.mjs';
import { measured } from '../lib/heap.mjs';
import { options, report, scratch } from '../lib/options.mjs';

const PROCESSES = 64;
const THREADS = 16;
const MAX_BYTES = 16 << 20;
const HAND = fileURLToPath(new URL('hand.mjs', import.meta.url));

const { seconds, seed } = options(60);
const long = seconds >= 20;
const dir = scratch({ disk: true });
const path = `${dir}/load.shard`;
const env = { ...process.env, ...measured(dir) };
/** @type {string[]} */
const wrong = [];
/** @typedef {{ gets: number, hits: number, puts: number, longestGet: number, longestPut: number, growth: number, lent: number }} Told */
/** @type {Told[]} */
const told = [];
let largest = 0;
const watch = setInterval(() => {
  largest = Math.max(largest, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
}, 50);

/** @param {number} n */
const args = (n) => [path, `${seconds}`, `${seed + n}`, `${MAX_BYTES}`];
const processes = Array.from({ length: PROCESSES }, (_, n) => {
  const child = spawn(process.execPath, ['--expose-gc', HAND, ...args(n)], { env });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((done) =>
    child.on('close', (code, signal) => {
      if (code === 0) told.push(JSON.parse(out));
      else wrong.push(`a process ended with ${signal ?? code}: ${err.slice(-500)}`);
      done(undefined);
    }),
  );
});
const threads = Array.from({ length: THREADS }, (_, n) => {
  const worker = new Worker(HAND, { argv: args(1000 + n) });
  worker.on('message', (message) => told.push(message));
  worker.on('error', (error) => wrong.push(`a thread: ${error}`));
  return new Promise((done) => worker.on('exit', done));
});
await Promise.all([...processes, ...threads]);
clearInterval(watch);
const shard = Shard.open(path, { maxBytes: MAX_BYTES });
const verified = shard.verify();
if (!verified.ok) wrong.push(JSON.stringify(verified));
shard.compact();
shard.close();
const left = statSync(path).size;
/** @param {(it: Told) => number} of */
const sum = (of) => told.reduce((all, it) => all + of(it), 0);
/** @param {(it: Told) => number} of */
const most = (of) => Math.round(Math.max(...told.map(of)));
if (told.length < PROCESSES + THREADS) wrong.push(`${told.length} of ${PROCESSES + THREADS} came to the end`);
// Somebody who waited forever would have had no turns, or one that took all the time. In a short run the processes begin
// meanwhile, and have the cores: there only what waits for a lock that nobody gives back comes to an end with an error.
if (long && most((it) => it.longestGet) > CROWDED_LOOK_UP_MS)
  wrong.push(`a look-up took over ${CROWDED_LOOK_UP_MS} ms`);
if (long && most((it) => it.longestPut) > CROWDED_PUT_MS) wrong.push(`a put took over ${CROWDED_PUT_MS} ms`);
const turns = told.map((it) => it.puts + it.gets).sort((a, b) => a - b);
const share = (turns[0] ?? 0) / (turns[turns.length >> 1] ?? 1);
// In a short run, who began last has the fewest.
if (long && share < LEAST_SHARE)
  wrong.push(`somebody had ${turns[0]} turns, the one in the middle ${turns[turns.length >> 1]}`);
if (largest > OVERRUN * MAX_BYTES) wrong.push(`the file grew to ${largest} bytes`);
if (left > MAX_BYTES) wrong.push(`compacted, the file has ${left} bytes still`);
// In a short run all of it is still warming up.
if (long && most((it) => it.growth) > GROWTH_MIB) wrong.push('memory grew');
if (long && most((it) => it.lent) > LENT_MIB) wrong.push('what is lent out grew');
report(
  'load',
  `${PROCESSES} processes and ${THREADS} threads, ${seconds} s: ${sum((it) => it.gets)} look-ups, ${sum((it) => it.hits)} of them hits, ${sum((it) => it.puts)} puts; ` +
    `longest look-up ${most((it) => it.longestGet)} ms, longest put ${most((it) => it.longestPut)} ms; ` +
    `the one with fewest turns had ${share.toFixed(2)} of the middle one's; ` +
    `file at most ${Math.round(largest / 2 ** 20)} MiB with a maxBytes of ${MAX_BYTES >> 20}; memory grew by ${most((it) => it.growth)} MiB at most, what is lent out of it by ${Math.max(...told.map((it) => it.lent)).toFixed(1)}`,
  wrong,
);
