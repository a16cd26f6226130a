// What every case receives: a folder to work in, the sizes of the run and the peers to measure.

import { leftOut, PEERS, peerNamed } from '../peers/index.mjs';
import { setPatience } from './measure.mjs';

/**
 * @typedef {object} Sizes of a run: see sizes.mjs
 * @property {number} rounds
 * @property {number} patience how many times `rounds` are run at most when other programs disturb them
 * @property {number} ms length of a round
 * @property {import('./data.mjs').Shape[]} shapes for look-ups
 * @property {import('./data.mjs').Shape[]} slowShapes those of `shapes` that slow peers run, too
 * @property {string[]} fastTasks tasks of look-ups that are run with the other shapes
 * @property {import('./data.mjs').Shape} main
 * @property {import('./data.mjs').Shape} large
 * @property {number} batch entries of a batch
 * @property {number} starts processes started for each contender
 * @property {number[]} readers numbers of processes or threads that read at once
 * @property {boolean} wide whether puts and memory are measured for all peers at every size
 * @property {number} sources source files
 * @property {number} seen puts that another process watches for
 * @property {number} synced synced puts in a round
 *
 * @typedef {object} Result
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {import('./contenders.mjs').Rows} rows
 */

export class Context {
  /** @type {Result[]} */
  results = [];
  /** @type {string[]} */
  notes = [];

  /**
   * @param {object} options
   * @param {string} options.root folder for files
   * @param {Sizes} options.sizes
   * @param {string[] | undefined} options.peers the peers to measure beside warmshard; all if undefined
   * @param {(text: string) => void} options.progress
   */
  constructor({ root, sizes, peers, progress }) {
    this.root = root;
    this.sizes = sizes;
    this.rounds = sizes.rounds;
    setPatience(sizes.patience);
    this.peers = peers;
    this.progress = progress;
  }

  /** @param {string} id @param {string} title @param {string} unit @param {import('./contenders.mjs').Rows | undefined} rows */
  add(id, title, unit, rows) {
    if (rows && Object.keys(rows).length > 0) this.results.push({ id, title, unit, rows });
  }

  /** Whether a peer takes part. @param {string} name */
  wants(name) {
    return name.startsWith('warmshard') || (this.peers?.includes(name) ?? true);
  }

  /** The peers among `names` that take part. @param {readonly string[]} names */
  wanted(names) {
    return names.filter((name) => PEERS[name] !== undefined && this.wants(name));
  }

  /**
   * Entrants for a case; `more` is added to the `spec` that all cases need.
   *
   * @param {readonly string[]} names
   * @param {import('./data.mjs').Shape} shape
   * @param {object} [more]
   * @returns {import('./contenders.mjs').Entrant[]}
   */
  entrants(names, shape, more = {}) {
    return this.wanted(names).map((name) => ({
      name,
      spec: { peer: name, shape, root: this.root, ms: this.sizes.ms, ...more },
      absent: leftOut(name, shape),
      env: peerNamed(name).env,
    }));
  }
}
