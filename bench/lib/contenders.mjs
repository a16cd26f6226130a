// One process for each contender of a case. All are alive at once, but only one works at a time: heaps, V8's type
// feedback and crashes stay separate, and rounds can still be interleaved.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ownProcesses } from './load.mjs';
import { measure } from './measure.mjs';

const CHILD = fileURLToPath(new URL('../child.mjs', import.meta.url));

/**
 * What a case returns in the process of a contender.
 *
 * @typedef {object} Work
 * @property {Record<string, () => Promise<Round>>} tasks each is prepared when its first round is asked for
 * @property {unknown} [info]
 * @property {() => unknown} [close]
 *
 * @typedef {() => number | Promise<number>} Round runs one round and returns what it measured
 */

/**
 * @typedef {{ absent: string }} Absent why a row is empty
 * @typedef {Record<string, import('./measure.mjs').Figure | Absent>} Rows by contender
 * @typedef {{ name: string, spec: object, absent?: string | undefined, env?: Record<string, string> | undefined }} Entrant
 */

/** Longest wait for an answer: more than it takes to fill the slowest store. */
const LONGEST_MS = 300_000;
/** Longest wait for a process to exit after it was told to close its store. */
const EXIT_MS = 5000;

/** A child process that answers messages in order. */
export class Contender {
  /** @type {string[]} */
  tasks = [];
  /** @type {any} */
  info;
  #child;
  #ended = '';
  /** Messages that arrived before `ask` was called. @type {any[]} */
  #answers = [];
  /** @type {((answer: any) => void) | undefined} */
  #asked;

  /** @param {string} caseName @param {Entrant} entrant */
  constructor(caseName, { name, spec, env }) {
    this.name = name;
    this.#child = fork(CHILD, [caseName, JSON.stringify(spec)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const { pid = 0 } = this.#child;
    ownProcesses.add(pid);
    let errors = '';
    this.#child.stderr?.on('data', (text) => {
      errors = (errors + text).slice(-2000);
    });
    this.#child.on('message', (message) => this.#take(message));
    this.#child.on('error', () => {});
    this.#child.on('exit', (code, signal) => {
      ownProcesses.delete(pid);
      const line = /^\w*Error.*$/m.exec(errors)?.[0] ?? '';
      this.#ended = `ended with ${signal ?? `code ${code}`}${line && `: ${line}`}`;
      this.#take({ failed: this.#ended });
    });
  }

  /** @param {any} answer */
  #take(answer) {
    if (this.#asked === undefined) this.#answers.push(answer);
    else this.#asked(answer);
    this.#asked = undefined;
  }

  /** @param {object} [message] @returns {Promise<any>} */
  async ask(message) {
    if (message && this.#ended) throw new Error(this.#ended);
    if (message) this.#child.send(message, () => {});
    const limit = setTimeout(() => this.#giveUp(), LONGEST_MS);
    const answer =
      this.#answers.shift() ??
      (await new Promise((resolve) => {
        this.#asked = resolve;
      }));
    clearTimeout(limit);
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return answer;
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  async ready() {
    const { tasks, info } = await this.ask();
    this.tasks = tasks;
    this.info = info;
    return this;
  }

  /** @param {string} task @returns {Promise<number>} */
  async round(task) {
    return (await this.ask({ task })).value;
  }

  async stop() {
    if (this.#ended) return;
    const closed = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    // Node.js can hang while it exits: it waits for a V8 thread, which waits for the exiting thread to collect garbage.
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_MS);
    await closed;
    clearTimeout(limit);
  }

  /** A contender that hangs must not stop the suite. */
  #giveUp() {
    console.error(`bench: ${this.name}: no answer in ${LONGEST_MS / 1000} s`);
    this.#child.kill('SIGKILL');
  }
}

/** @param {unknown} error */
export const reason = (error) =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';

/**
 * Runs each task with every contender that has it, interleaved. Returns the rows of each task, and the `info` of each
 * process.
 *
 * @param {import('./context.mjs').Context} context
 * @param {string} caseName
 * @param {Entrant[]} entrants
 * @param {{ rounds?: number, warmups?: number }} [options]
 */
export async function compete(context, caseName, entrants, options = {}) {
  /** @type {Contender[]} */
  const ready = [];
  /** @type {Record<string, Absent>} */
  const absent = {};
  for (const entrant of entrants) {
    if (entrant.absent !== undefined) {
      absent[entrant.name] = { absent: entrant.absent };
      continue;
    }
    try {
      ready.push(await new Contender(caseName, entrant).ready());
    } catch (error) {
      absent[entrant.name] = { absent: reason(error) };
      context.progress(`${caseName}: ${entrant.name}: ${reason(error)}`);
    }
  }
  /** @type {Record<string, Rows>} */
  const results = {};
  try {
    for (const task of new Set(ready.flatMap((contender) => contender.tasks))) {
      const able = ready.filter((contender) => contender.tasks.includes(task));
      /** @type {Record<string, Absent>} */
      const failed = {};
      // A contender that fails gets an empty row; the others go on.
      const round = async (/** @type {Contender} */ contender) => {
        if (failed[contender.name]) return Number.NaN;
        try {
          return await contender.round(task);
        } catch (error) {
          failed[contender.name] = { absent: reason(error) };
          context.progress(`${caseName}: ${contender.name}: ${task}: ${reason(error)}`);
          return Number.NaN;
        }
      };
      /** @type {Rows} */
      const rows = await measure(
        able.map((contender) => ({ name: contender.name, round: () => round(contender) })),
        { rounds: context.rounds, ...options },
      );
      results[task] = inOrder(entrants, { ...rows, ...absent, ...failed });
    }
  } finally {
    for (const contender of ready) await contender.stop();
  }
  return { results, infos: Object.fromEntries(ready.map(({ name, info }) => [name, info])), absent };
}

/**
 * Fills the stores that other processes will only read. Each is filled by a process of its own, because a process that
 * measures what opening costs must not have written.
 *
 * @param {import('./context.mjs').Context} context
 * @param {readonly string[]} names
 * @param {import('./data.mjs').Shape} shape
 */
export async function prepare(context, names, shape) {
  for (const entrant of context.entrants(names, shape)) {
    if (entrant.absent !== undefined) continue;
    const contender = new Contender('fill', entrant);
    try {
      await contender.ready();
    } catch (error) {
      context.progress(`filling: ${entrant.name}: ${reason(error)}`);
    }
    await contender.stop();
  }
}

/** @param {Entrant[]} entrants @param {Rows} rows */
function inOrder(entrants, rows) {
  /** @type {Rows} */
  const ordered = {};
  for (const { name } of entrants) {
    const row = rows[name];
    if (row !== undefined) ordered[name] = row;
  }
  return ordered;
}
