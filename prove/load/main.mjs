// Load: 64 processes and 16 worker threads on one shard, with 95 % look-ups and 5 % puts. There must be no error and no long
// wait, and neither memory nor the file may grow beyond bounds.

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
if (told.length < PROCESSES + THREADS) wrong.push(`only ${told.length} of ${PROCESSES + THREADS} finished`);
// A process that starves has few turns, or one very long turn. In a short run these times mean little, because other processes
// are still starting and keep the cores busy; there only a lock that is never released shows, as an error.
if (long && most((it) => it.longestGet) > CROWDED_LOOK_UP_MS)
  wrong.push(`a look-up took over ${CROWDED_LOOK_UP_MS} ms`);
if (long && most((it) => it.longestPut) > CROWDED_PUT_MS) wrong.push(`a put took over ${CROWDED_PUT_MS} ms`);
const turns = told.map((it) => it.puts + it.gets).sort((a, b) => a - b);
const share = (turns[0] ?? 0) / (turns[turns.length >> 1] ?? 1);
// In a short run the process that started last has too few turns.
if (long && share < LEAST_SHARE)
  wrong.push(`one process had only ${turns[0]} turns, the median process ${turns[turns.length >> 1]}`);
if (largest > OVERRUN * MAX_BYTES) wrong.push(`the file grew to ${largest} bytes`);
if (left > MAX_BYTES) wrong.push(`after compaction the file still has ${left} bytes`);
// In a short run every process is still warming up.
if (long && most((it) => it.growth) > GROWTH_MIB) wrong.push('memory grew');
if (long && most((it) => it.lent) > LENT_MIB) wrong.push('memory allocated from the C library grew');
report(
  'load',
  `${PROCESSES} processes and ${THREADS} threads, ${seconds} s: ${sum((it) => it.gets)} look-ups, ${sum((it) => it.hits)} of them hits, ${sum((it) => it.puts)} puts; ` +
    `longest look-up ${most((it) => it.longestGet)} ms, longest put ${most((it) => it.longestPut)} ms; ` +
    `fewest turns ${share.toFixed(2)} of the median; ` +
    `largest file ${Math.round(largest / 2 ** 20)} MiB, maxBytes ${MAX_BYTES >> 20} MiB; memory grew by at most ${most((it) => it.growth)} MiB, of which ${Math.max(...told.map((it) => it.lent)).toFixed(1)} MiB allocated from the C library`,
  wrong,
);
