// Interleaved rounds: every contender of a case runs once in each, in shuffled order, so that a slow minute of the
// machine hits all of them alike.

import { watchOthers } from './load.mjs';

/**
 * @template T
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => T | Promise<T>} round one round, and what it measured
 * @property {() => unknown} [before] what makes ready for a round, before anybody looks at the clock
 */

/**
 * A round that is over.
 *
 * @template T
 * @typedef {object} Watched
 * @property {T} measured
 * @property {number} share the time that other processes used meanwhile, of the round's own
 * @property {boolean} clean whether that is little enough
 */

/**
 * @template T
 * @typedef {object} Sample
 * @property {T[]} kept one for each round that counts
 * @property {number} noisy how many of them count although others used the processors
 * @property {number} dropped how many do not count because of that
 */

/**
 * @typedef {object} Figure
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number} rounds
 * @property {number} noisy
 * @property {number} dropped
 *
 * @typedef {Record<string, Figure>} Figures by contender
 */

/** Others may use this share of a round's wall time, and two ticks on top: a tick is as fine as it gets. */
const FOREIGN_SHARE = 0.1;
const FOREIGN_SLACK_US = 20_000;
/** Disturbed rounds are repeated until there were so many times as many rounds as asked for. */
let patience = 2;

/** @param {number} times */
export function setPatience(times) {
  patience = times;
}

/**
 * @template T
 * @param {readonly T[]} items
 */
function shuffled(items) {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [/** @type {T} */ (copy[j]), /** @type {T} */ (copy[i])];
  }
  return copy;
}

/** @param {readonly number[]} figures */
export function median(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}

/** @param {readonly number[]} figures @param {{ noisy?: number, dropped?: number }} [sample] @returns {Figure} */
export function summary(figures, { noisy = 0, dropped = 0 } = {}) {
  return {
    median: median(figures),
    min: Math.min(...figures),
    max: Math.max(...figures),
    rounds: figures.length,
    noisy,
    dropped,
  };
}

/** What was measured once. @param {number} value @returns {Figure} */
export const once = (value) => summary([value]);

/**
 * Runs a round and tells what others used meanwhile.
 *
 * @template T
 * @param {() => T | Promise<T>} round
 * @returns {Promise<Watched<T>>}
 */
export async function watched(round) {
  const others = watchOthers();
  const started = process.hrtime.bigint();
  const measured = await round();
  const wall = Number(process.hrtime.bigint() - started) / 1000;
  const foreign = others();
  return { measured, share: foreign / wall, clean: foreign <= wall * FOREIGN_SHARE + FOREIGN_SLACK_US };
}

/**
 * The clean rounds. On a machine that never rests, the least disturbed ones have to do: half as many as were asked for.
 *
 * @template T
 * @param {readonly Watched<T>[]} all
 * @param {number} rounds
 * @returns {Sample<T>}
 */
export function chosen(all, rounds) {
  const clean = all.filter((round) => round.clean);
  const noisy = all.filter((round) => !round.clean).sort((a, b) => a.share - b.share);
  const used = noisy.slice(0, Math.max(0, Math.ceil(rounds / 2) - clean.length));
  const kept = [...clean, ...used].map(({ measured }) => measured);
  return { kept, noisy: used.length, dropped: noisy.length - used.length };
}

/**
 * @template T
 * @param {readonly Contender<T>[]} contenders
 * @param {{ rounds: number, warmups?: number }} options
 * @returns {Promise<Map<string, Sample<T>>>} by contender
 */
export async function sample(contenders, { rounds, warmups = 2 }) {
  const results = contenders.map((contender) => ({ contender, all: /** @type {Watched<T>[]} */ ([]) }));
  for (let i = 0; i < warmups; i++) for (const { contender } of shuffled(results)) await contender.round();
  for (let i = 0; i < rounds * patience; i++) {
    const wanting = results.filter(({ all }) => all.filter(({ clean }) => clean).length < rounds);
    for (const { contender, all } of shuffled(wanting)) {
      await contender.before?.();
      all.push(await watched(() => contender.round()));
    }
  }
  return new Map(results.map(({ contender, all }) => [contender.name, chosen(all, rounds)]));
}

/**
 * The same for rounds that measure one number.
 *
 * @param {readonly Contender<number>[]} contenders
 * @param {{ rounds: number, warmups?: number }} options
 * @returns {Promise<Figures>}
 */
export async function measure(contenders, options) {
  const samples = await sample(contenders, options);
  return Object.fromEntries([...samples].map(([name, s]) => [name, summary(s.kept, s)]));
}
