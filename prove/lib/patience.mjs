// What a machine adds that is busy, slow, or stopped for a while: no proof fails of it.

import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Nobody takes so long, but who hangs. In milliseconds. */
export const FOR_EVER = 600_000;

/** Longer than this between two looks at the clock, in milliseconds, is the machine's doing. */
const LATE = 50;

/**
 * A thread that does nothing but look at the clock: when it comes too late, so does everybody.
 *
 * @returns {{ during: (from: number, to: number) => number, end: () => Promise<unknown> }} how long everybody stood still in a
 * span of `now()`, once the event loop has had a turn since
 */
export function witness() {
  const source = `
    const { parentPort } = require('node:worker_threads');
    const now = () => Number(process.hrtime.bigint()) / 1e6;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    for (let last = now(); ; ) {
      Atomics.wait(sleeper, 0, 0, 5);
      const at = now();
      if (at - last > ${LATE}) parentPort.postMessage([last, at]);
      last = at;
    }`;
  /** @type {[number, number][]} */
  const late = [];
  const worker = new Worker(source, { eval: true });
  worker.on('message', (span) => late.push(span));
  worker.unref();
  return {
    during: (from, to) =>
      late.reduce((all, [begun, over]) => all + Math.max(0, Math.min(to, over) - Math.max(from, begun)), 0),
    end: () => worker.terminate(),
  };
}

/** For how long this thread has had work and no core, in milliseconds; 0 where that cannot be told. */
export function coreless() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** The clock of `witness`, in milliseconds. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * How long this disk takes, just now, to take so much: a plain file, written and synced. In milliseconds.
 *
 * @param {string} dir
 * @param {number} mib
 */
export function plainly(dir, mib) {
  const path = `${dir}/plain`;
  const piece = new Uint8Array(1 << 20);
  const from = now();
  const file = openSync(path, 'w');
  for (let i = 0; i < mib; i++) writeSync(file, piece);
  fsyncSync(file);
  closeSync(file);
  const took = now() - from;
  rmSync(path);
  return took;
}
