// Builds the preloaded library of faults.c with the system's compiler, and controls it through words in a shared file.

import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { preload } from '../lib/preload.mjs';

/** Calls that can fail, in the order of `enum call` in faults.c. */
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
 * What the library does, and to which calls.
 *
 * @typedef {object} Fault
 * @property {readonly Call[]} calls the kinds of calls that are counted
 * @property {number} from number of the first call that the action happens to, from 1
 * @property {number} times to how many calls it happens; 0 for all from there on
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
  // Must not be reported as a missing compiler, because then these proofs would be skipped silently.
  if ('broken' in built) throw new Error(built.broken);
  return built;
}

export class Control {
  /** @param {string} path the file that the library maps */
  constructor(path) {
    this.path = path;
    writeFileSync(path, Buffer.alloc(4096), { flag: 'a' });
    this.fd = openSync(path, 'r+');
  }

  /** @param {Fault} [fault] none if left out @param {number} [clock] seconds to add to the clock */
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

  /** How many calls were counted, to how many the action happened, and the kind of the last of these. */
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
