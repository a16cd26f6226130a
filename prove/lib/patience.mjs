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
 * @returns {Promise<{ during: (from: number, to: number, stopped?: boolean) => number, end: () => Promise<unknown> }>} how long
 * everybody stood still in a span of `now()`, once the event loop has had a turn since; `stopped` leaves out what it was without a
 * core
 */
export async function witness() {
  const source = `
    const { parentPort } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    const now = () => Number(process.hrtime.bigint()) / 1e6;
    ${coreless}
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    parentPort.postMessage(undefined);
    for (let last = now(), queued = coreless(); ; ) {
      Atomics.wait(sleeper, 0, 0, 5);
      const [at, is] = [now(), coreless()];
      if (at - last > ${LATE}) parentPort.postMessage([last, at, is - queued]);
      [last, queued] = [at, is];
    }`;
  /** @type {[number, number, number][]} */
  const late = [];
  const worker = new Worker(source, { eval: true });
  await new Promise((done) => worker.once('message', done));
  worker.on('message', (span) => late.push(span));
  worker.unref();
  return {
    during(from, to, stopped = false) {
      let all = 0;
      for (const [begun, over, queued] of late) {
        const both = Math.min(to, over) - Math.max(from, begun);
        if (both > 0) all += stopped ? Math.max(0, both - queued) : both;
      }
      return all;
    },
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
