// The preloaded library, built with the system's compiler, and the words that tell it what to do: see faults.c.

import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { preload } from '../lib/preload.mjs';

/** Calls that can fail, in the order of `enum call`. */
export const CALLS = /** @type {const} */ ([
  'open',
  'fstat',
  'lstat',
  'flock',
  'sync',
  'truncate',
  'allocate',
  'read',
  'write',
  'rename',
  'unlink',
  'mkdir',
  'opendir',
  'mmap',
  'statfs',
]);
const ACTIONS = /** @type {const} */ ([
  'nothing',
  'fail',
  'short',
  'half, fail',
  'kill before',
  'kill after',
  'half, kill',
]);
const WORDS = 9;

/** @typedef {(typeof CALLS)[number]} Call */

/**
 * What is to happen.
 *
 * @typedef {object} Fault
 * @property {readonly Call[]} calls which calls are counted
 * @property {number} from the first one that it happens to, from 1
 * @property {number} times how many it happens to; 0 for all from there on
 * @property {(typeof ACTIONS)[number]} action
 * @property {number} [errno]
 */

/**
 * Builds the library into a folder.
 *
 * @param {string} dir
 * @returns {{ path: string } | { missing: string }}
 */
export function library(dir) {
  const built = preload(new URL('faults.c', import.meta.url), dir, 'inherit');
  // Taken for a missing compiler, it once kept these proofs from running for a day.
  if ('broken' in built) throw new Error(built.broken);
  return built;
}

export class Control {
  /** @param {string} path of the file that is mapped by the library */
  constructor(path) {
    this.path = path;
    writeFileSync(path, Buffer.alloc(4096), { flag: 'a' });
    this.fd = openSync(path, 'r+');
  }

  /** @param {Fault} [fault] nothing happens without one @param {number} [clock] seconds that the clock is off */
  set(fault, clock = 0) {
    const words = new BigInt64Array(WORDS);
    if (fault) {
      const mask = fault.calls.reduce((all, call) => all | (1n << BigInt(CALLS.indexOf(call))), 0n);
      words.set([
        mask,
        BigInt(fault.from),
        BigInt(fault.times),
        BigInt(ACTIONS.indexOf(fault.action)),
        BigInt(fault.errno ?? 0),
      ]);
    }
    words[8] = BigInt(clock);
    writeSync(this.fd, words, 0, words.byteLength, 0);
  }

  /** How many calls were counted, how many of them it happened to, and what the last of those was. */
  told() {
    const words = new BigInt64Array(WORDS);
    readSync(this.fd, words, 0, words.byteLength, 0);
    return { calls: Number(words[5]), fired: Number(words[6]), last: CALLS[Number(words[7])] };
  }

  close() {
    closeSync(this.fd);
  }
}

/** @param {string} lib @param {string} dir @param {string} control */
export function environment(lib, dir, control) {
  return { ...process.env, LD_PRELOAD: lib, FAULTS_DIR: dir, FAULTS_CONTROL: control, NODE_OPTIONS: '' };
}
