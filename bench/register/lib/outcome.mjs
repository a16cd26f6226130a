// What a program did: its exit code, output and files. Two runs may differ anyway, for example in the durations that
// they print; running the program several times without warmshard finds out where.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * @typedef {object} Outcome
 * @property {number} wall wall time in milliseconds
 * @property {string} exit exit code or signal
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} files one line for each file that it wrote: path and digest
 */

const TEXTS = /** @type {const} */ (['stdout', 'stderr', 'files']);
/** Numbers and durations. If only these differ between runs of a line, the rest of the line is still compared. */
const NUMBERS = /(\d+(?:[.,]\d+)*(?: ?(?:ms|s)\b)?)/;
/** Runs without warmshard at the start, and the most before a difference is reported. */
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
 * What one line has in common in several runs: its parts, of which those that differ are `undefined`. The whole result
 * is `undefined` if more than numbers differ.
 *
 * @param {string[]} seen
 * @returns {(string | undefined)[] | undefined}
 */
function pattern(seen) {
  const split = seen.map((line) => line.split(NUMBERS));
  const [first = [], ...others] = split;
  if (others.some(({ length }) => length !== first.length)) return undefined;
  const parts = first.map((part, i) => {
    // Every second part is a number. Durations are never compared: several runs may happen to take the same number of
    // milliseconds, and the next one more.
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
 * How a run differs from the expected ones, or `undefined`.
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
    // If the number of lines varies anyway, this text cannot be compared.
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

/** The most telling part of the output: the first line with an error, or else the end. @param {Outcome} outcome */
function tail({ stdout, stderr }) {
  const text = (stderr || stdout).trim();
  return quoted(/^.*\w*(?:Error|ERR_|Warning)\b.*$/m.exec(text)?.[0].trim() ?? text.slice(-160));
}

const STACK = /^ +at .*\n?/gm;

/** The outcome without the lines of stack traces. @param {Outcome} outcome @returns {Outcome} */
export const stackless = (outcome) => ({
  ...outcome,
  stdout: outcome.stdout.replaceAll(STACK, ''),
  stderr: outcome.stderr.replaceAll(STACK, ''),
});

/** What a program does without warmshard. */
export class Expectation {
  /** @type {Outcome[]} */
  #seen = [];
  #run;

  /** @param {() => Outcome} run runs the program without warmshard */
  constructor(run) {
    this.#run = run;
    while (this.#seen.length < FIRST_LOOKS) this.#seen.push(run());
  }

  /** The outcome of one of the runs. @returns {Outcome} */
  get sample() {
    return /** @type {Outcome} */ (this.#seen[0]);
  }

  /** Whether an outcome matches the runs so far. @param {Outcome} outcome */
  fits(outcome) {
    return difference(this.#seen, outcome) === undefined;
  }

  /**
   * How an outcome differs, or `undefined`. Before it reports a difference it runs the program without warmshard a few
   * more times, to see whether these runs differ in the same way; so the program's input must not have changed.
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
