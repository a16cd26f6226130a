// What a case is given: where to work, how long, against whom.

import { leftOut, PEERS, peerNamed } from '../peers/index.mjs';
import { setPatience } from './measure.mjs';

/**
 * @typedef {object} Sizes of a run: see sizes.mjs
 * @property {number} rounds
 * @property {number} patience rounds at the most, as a multiple, where others disturb them
 * @property {number} ms of a round
 * @property {import('./data.mjs').Shape[]} shapes of look-ups
 * @property {import('./data.mjs').Shape[]} slowShapes of them, those for peers of more than some microseconds, too
 * @property {string[]} fastTasks what of look-ups the other shapes are for
 * @property {import('./data.mjs').Shape} main
 * @property {import('./data.mjs').Shape} large
 * @property {number} batch entries of a batch
 * @property {number} starts of a process
 * @property {number[]} readers at once
 * @property {boolean} wide whether puts and memory are for all peers at every size
 * @property {number} sources
 * @property {number} seen puts that another process waits for
 * @property {number} synced puts of a round that are synced
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
   * @param {string} options.root a folder for files
   * @param {Sizes} options.sizes
   * @param {string[] | undefined} options.peers of others, those wanted; all if undefined
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
   * Entrants for a case whose `spec` is a shape and what else it needs.
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
