// The command line of every proof, and its report.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * `--seconds=N`: how long to run; `--seed=N`: the seed of random numbers; `--part=K/N`: only the K-th of N parts of the cases, so
 * that all of them can be run in several runs; `--mib=N`: the size of the shard.
 *
 * @param {number} seconds the default
 */
export function options(seconds) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      part: { type: 'string' },
      mib: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [of = 1, parts = 1] = (values.part ?? '1/1').split('/').map(Number);
  return {
    part: { of, parts },
    mib: values.mib === undefined ? undefined : Number(values.mib),
    seconds: Number(values.seconds ?? process.env.WARMSHARD_SECONDS ?? seconds),
    seed: Number(values.seed ?? process.env.WARMSHARD_SEED ?? 1),
  };
}

/**
 * The items that belong to a part.
 *
 * @template T
 * @param {readonly T[]} all
 * @param {{ of: number, parts: number }} part
 * @returns {T[]}
 */
export const partOf = (all, { of, parts }) => all.filter((_, index) => index % parts === of - 1);

/**
 * A folder that is deleted when the process exits. It is in memory (/dev/shm) if possible, unless a proof needs a disk.
 *
 * @param {{ disk?: boolean }} [how]
 */
export function scratch(how = {}) {
  const memory = !how.disk && existsSync('/dev/shm');
  const dir = mkdtempSync(join(memory ? '/dev/shm' : tmpdir(), 'warmshard-prove-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Most complaints that a report lists one by one. */
const MOST = Number(process.env.WARMSHARD_COMPLAINTS ?? 20);

let failures = 0;

/**
 * One line of the report.
 *
 * @param {string} title
 * @param {string} figure
 * @param {readonly string[]} wrong
 */
export function report(title, figure, wrong = []) {
  console.log(`${wrong.length === 0 ? '✔' : '✘'} ${title}: ${figure}`);
  for (const line of wrong.slice(0, MOST)) console.log(`    ${line}`);
  if (wrong.length > MOST) console.log(`    and ${wrong.length - MOST} more`);
  if (wrong.length > 0) {
    failures++;
    process.exitCode = 1;
  }
  return failures;
}

/** @param {string} title @param {string} why */
export function skipped(title, why) {
  console.log(`- ${title}: skipped, ${why}`);
}

/** Writes a line that the next one overwrites, if standard error is a terminal. @param {string} text */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
