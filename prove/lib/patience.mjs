// Measures what a busy, slow or paused machine adds to the time of a call, so that no proof fails because of it.

import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** A process that takes longer than this, in milliseconds, hangs. */
export const FOR_EVER = 600_000;

/** If more than this passes between two looks at the clock, in milliseconds, the machine was busy or paused. */
const LATE = 50;

/**
 * Starts a thread that does nothing but look at the clock: when it is late, so is every other thread.
 *
 * @returns {Promise<{ during: (from: number, to: number, stopped?: boolean) => number, end: () => Promise<unknown> }>} `during`
 * tells for how many milliseconds of a span of `now()` the thread was late; ask after a turn of the event loop. With `stopped`,
 * time that the thread waited for a core does not count
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

/** For how long this thread has waited for a core so far, in milliseconds; 0 if the system does not tell. */
export function coreless() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** The clock that `witness` uses, in milliseconds. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * How many milliseconds it takes just now to write and sync a plain file of this size.
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
