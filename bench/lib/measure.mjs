// Interleaved rounds: in each round every contender of a case runs once, in shuffled order, so that a slow minute of
// the machine affects all of them alike.

import { watchOthers } from './load.mjs';

/**
 * @template T
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => T | Promise<T>} round runs one round and returns what it measured
 * @property {() => unknown} [before] prepares a round; not timed, and not watched for disturbances
 */

/**
 * A finished round.
 *
 * @template T
 * @typedef {object} Watched
 * @property {T} measured
 * @property {number} share processor time that other programs used meanwhile, divided by the round's wall time
 * @property {boolean} clean whether that was little enough for the round to count
 */

/**
 * @template T
 * @typedef {object} Sample
 * @property {T[]} kept what the rounds that count have measured
 * @property {number} noisy how many of these were disturbed by other programs
 * @property {number} dropped how many rounds do not count because they were disturbed
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

/** In a clean round other programs use at most this share of its wall time, plus two ticks, the unit of /proc. */
const FOREIGN_SHARE = 0.1;
const FOREIGN_SLACK_US = 20_000;
/** Disturbed rounds are repeated until this many times the wanted rounds have been run. */
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

/** A figure that was measured only once. @param {number} value @returns {Figure} */
export const once = (value) => summary([value]);

/**
 * Runs a round and measures what other programs use meanwhile.
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
 * The clean rounds. If they are fewer than half of the rounds asked for, the least disturbed other ones fill up that half.
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
 * Like `sample`, for rounds that measure one number.
 *
 * @param {readonly Contender<number>[]} contenders
 * @param {{ rounds: number, warmups?: number }} options
 * @returns {Promise<Figures>}
 */
export async function measure(contenders, options) {
  const samples = await sample(contenders, options);
  return Object.fromEntries([...samples].map(([name, s]) => [name, summary(s.kept, s)]));
}
