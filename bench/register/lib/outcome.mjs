// What a program did: exit code, output, files. Two runs of it may differ by themselves, in how long they took for
// example; that is found out by running it several times, not known beforehand.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * @typedef {object} Outcome
 * @property {number} wall in milliseconds
 * @property {string} exit code or signal
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} files those it made, a line each: path and digest
 */

const TEXTS = /** @type {const} */ (['stdout', 'stderr', 'files']);
/** Numbers and durations: where these alone differ, the rest of the line is compared. */
const NUMBERS = /(\d+(?:[.,]\d+)*(?: ?(?:ms|s)\b)?)/;
/** Runs without us until two that differ should have shown it. */
const FIRST_LOOKS = 2;
const MOST_LOOKS = 6;

/** The files below a folder and their digests. @param {string} folder */
export function filesIn(folder) {
  if (!existsSync(folder)) return '';
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map(
      (path) => `${relative(folder, path)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
    )
    .sort()
    .join('\n');
}

/**
 * One line as several runs had it: what is the same in all; `undefined` where nothing is known.
 *
 * @param {string[]} seen
 * @returns {(string | undefined)[] | undefined}
 */
function pattern(seen) {
  const split = seen.map((line) => line.split(NUMBERS));
  const [first = [], ...others] = split;
  if (others.some(({ length }) => length !== first.length)) return undefined;
  const parts = first.map((part, i) => {
    // Every second part is a number. How long something took is never compared: several runs may well take as many
    // milliseconds each, and the next one more.
    const duration = i % 2 === 1 && part.endsWith('s');
    return !duration && others.every((other) => other[i] === part) ? part : undefined;
  });
  return parts.some((part, i) => part === undefined && i % 2 === 0) ? undefined : parts;
}

/** @param {string} line @param {(string | undefined)[] | undefined} expected */
function fits(line, expected) {
  if (expected === undefined) return true;
  const parts = line.split(NUMBERS);
  return (
    parts.length === expected.length && expected.every((part, i) => part === undefined || part === parts[i])
  );
}

/**
 * In what a run differs from others, or `undefined`.
 *
 * @param {readonly Outcome[]} expected
 * @param {Outcome} outcome
 */
function difference(expected, outcome) {
  const exits = new Set(expected.map(({ exit }) => exit));
  if (!exits.has(outcome.exit))
    return `exit ${outcome.exit}, not ${[...exits].join(' or ')}: ${tail(outcome)}`;
  for (const name of TEXTS) {
    const lines = outcome[name].split('\n');
    const seen = expected.map((one) => one[name].split('\n'));
    // Where lines come and go by themselves, nothing can be said about this text.
    if (new Set(seen.map(({ length }) => length)).size > 1) continue;
    if (lines.length !== seen[0]?.length)
      return `${name} has ${lines.length} lines, not ${seen[0]?.length}: ${tail(outcome)}`;
    const at = lines.findIndex((line, i) => !fits(line, pattern(seen.map((text) => text[i] ?? ''))));
    if (at !== -1) return `${name}, line ${at + 1}: ${quoted(lines[at])}, not ${quoted(seen[0]?.[at])}`;
  }
  return undefined;
}

/** @param {string | undefined} text */
const quoted = (text = '') => JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}...` : text);

/** What says most of why: the error, or else the end. @param {Outcome} outcome */
function tail({ stdout, stderr }) {
  const text = (stderr || stdout).trim();
  return quoted(/^.*\w*(?:Error|ERR_|Warning)\b.*$/m.exec(text)?.[0].trim() ?? text.slice(-160));
}

const STACK = /^ +at .*\n?/gm;

/** Without the stack, which tells who called whom. @param {Outcome} outcome @returns {Outcome} */
export const stackless = (outcome) => ({
  ...outcome,
  stdout: outcome.stdout.replaceAll(STACK, ''),
  stderr: outcome.stderr.replaceAll(STACK, ''),
});

/** What a program does without us. */
export class Expectation {
  /** @type {Outcome[]} */
  #seen = [];
  #run;

  /** @param {() => Outcome} run runs it without us */
  constructor(run) {
    this.#run = run;
    while (this.#seen.length < FIRST_LOOKS) this.#seen.push(run());
  }

  /** One of the runs. @returns {Outcome} */
  get sample() {
    return /** @type {Outcome} */ (this.#seen[0]);
  }

  /** Whether another run fits those that were seen. @param {Outcome} outcome */
  fits(outcome) {
    return difference(this.#seen, outcome) === undefined;
  }

  /**
   * In what another run differs, or `undefined` where it does not. Before it says so it looks again at how runs without
   * us differ: what they work on must be the same still.
   *
   * @param {Outcome} outcome
   */
  differs(outcome) {
    let found = difference(this.#seen, outcome);
    while (found !== undefined && this.#seen.length < MOST_LOOKS) {
      this.#seen.push(this.#run());
      found = difference(this.#seen, outcome);
    }
    return found;
  }
}
