// Runs small programs without `warmshard/register`, with an empty shard, and with a full one. Their output and their exit
// code must be the same each time.

import { spawn } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { folder } from './folder.js';

/** The file that programs preload with `-r`. */
export const register = join(dirname(require.resolve('warmshard')), 'register.cjs');

/** The major version of the runtime under test. */
export const major = Number(process.versions.node.split('.')[0]);

/**
 * Environment variables that decide how modules are compiled: through the shim in the fast door's binary, if it is built. In
 * the second run of the suite, which tests the fast door (WARMSHARD_FAST=eager), modules are compiled without the shim.
 */
export const scripts: Record<string, string> =
  process.env.WARMSHARD_FAST === 'eager' ? { WARMSHARD_FAST: '0' } : {};

/** Contents by path, relative to the program's folder. */
export type Files = Record<string, string | Uint8Array>;

export interface RunOptions {
  /** Path of the program relative to its folder; default `app.js`. If empty, no program is named. */
  main?: string;
  args?: string[];
  /** Options of Node.js. */
  node?: string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Preload `warmshard/register`. Default true. */
  register?: boolean;
  /** Leave a small main module to Node.js, as by default. Default here: false, which means that it is served, too. */
  small?: boolean;
  /** Set WARMSHARD_DEBUG, so that `lines` is filled. */
  debug?: boolean;
  /** Sent to the program once it has printed `ready`. */
  signal?: NodeJS.Signals;
  input?: string;
}

/** How a program ended and what it printed. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Told extends Ended {
  /** What `warmshard/register` printed because of `WARMSHARD_DEBUG`. */
  lines: string[];
}

export interface SameOptions extends RunOptions {
  /** Files that must be served from a full shard; default: the main module. */
  hits?: string[];
  /** Nothing may be served from the shard. */
  aside?: boolean;
  /** Called before each run. */
  before?: () => void;
  /** Removes what may differ between two runs anyway. */
  tidy?: (text: string) => string;
}

/** Most children at a time; more would only slow each other down. */
const MAX_CHILDREN = 3;
let running = 0;
const queue: (() => void)[] = [];

async function turn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_CHILDREN) await new Promise<void>((go) => queue.push(go));
  else running++;
  try {
    return await work();
  } finally {
    const next = queue.shift();
    if (next === undefined) running--;
    else next();
  }
}

/** A program in a folder of its own, with a shard of its own. */
export class Program {
  readonly dir: string;
  readonly home: string;
  readonly #t: ExecutionContext;

  constructor(t: ExecutionContext, files: Files = {}) {
    this.#t = t;
    const root = realpathSync(folder(t));
    this.dir = join(root, 'program');
    this.home = join(root, 'home');
    mkdirSync(this.dir);
    this.write(files);
  }

  get shard(): string {
    return join(this.home, 'programs.shard');
  }

  at(...names: string[]): string {
    return join(this.dir, ...names);
  }

  write(files: Files): this {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(this.at(name)), { recursive: true });
      writeFileSync(this.at(name), content);
    }
    return this;
  }

  run(options: RunOptions = {}): Promise<Told> {
    return turn(() => this.#run(options));
  }

  async #run(options: RunOptions): Promise<Told> {
    const { main = 'app.js', args = [], node = [], cwd = this.dir } = options;
    const preload = options.register === false ? [] : ['-r', register];
    const words = [...preload, ...node, ...(main === '' ? [] : [this.at(main)]), ...args];
    const { PATH, HOME, TMPDIR } = process.env;
    const env = { PATH, HOME, TMPDIR, ...scripts, WARMSHARD_HOME: this.home, ...options.env };
    if (!options.small) Object.assign(env, { WARMSHARD_EAGER: '1', ...options.env });
    if (options.debug) Object.assign(env, { WARMSHARD_DEBUG: '1' });
    const child = spawn(process.execPath, words, { cwd, env, stdio: 'pipe' });
    this.#t.teardown(() => void child.kill('SIGKILL'));
    const texts = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      texts.stdout += text;
      if (options.signal !== undefined && texts.stdout.includes('ready')) child.kill(options.signal);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      texts.stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const ended = new Promise<Pick<Ended, 'code' | 'signal'>>((done, fail) => {
      child.on('error', fail);
      child.on('close', (code, signal) => done({ code, signal }));
    });
    const { code, signal } = await ended;
    const said = texts.stderr.match(/^warmshard: .*\n/gm) ?? [];
    return {
      code,
      signal,
      stdout: texts.stdout,
      stderr: options.debug ? texts.stderr.replace(/^warmshard: .*\n/gm, '') : texts.stderr,
      lines: said.map((line) => line.slice('warmshard: '.length).trimEnd()),
    };
  }

  /** Runs the program without warmshard. */
  plain(options: SameOptions = {}): Promise<Ended> {
    options.before?.();
    return this.run({ ...options, register: false }).then((ended) => tidied(ended, options));
  }

  /** Runs the program once with warmshard, compares it with a run without, and returns the debug lines. */
  async one(what: string, expected: Ended, options: SameOptions = {}): Promise<string[]> {
    options.before?.();
    const told = await this.run(options);
    this.#t.deepEqual(tidied(told, options), expected, what);
    return told.lines;
  }

  /**
   * Runs the program without warmshard, with an empty shard, and three times with a full one, and compares.
   *
   * @returns how it ended, and the debug lines of the last run
   */
  async same(options: SameOptions = {}): Promise<Ended & { lines: string[] }> {
    const expected = await this.plain(options);
    await this.one('cold', expected, options);
    await this.one('warm', expected, options);
    await this.one('warm, small main modules left to Node.js', expected, { ...options, small: true });
    const lines = await this.one('warm, with WARMSHARD_DEBUG', expected, { ...options, debug: true });
    if (options.aside)
      this.#t.deepEqual(
        lines.filter((line) => line.startsWith('hit ')),
        [],
        'nothing is served',
      );
    else
      for (const file of options.hits ?? [options.main ?? 'app.js'])
        this.#t.true(lines.includes(`hit ${this.at(file)}`), `${file} is served: ${lines.join('\n')}`);
    return { ...expected, lines };
  }
}

function tidied({ code, signal, stdout, stderr }: Ended, { tidy = (text) => text }: SameOptions): Ended {
  // Warnings of Node.js contain the process id.
  const clean = (text: string) => tidy(text.replace(/\(node:\d+\)/g, '(node:1)'));
  return { code, signal, stdout: clean(stdout), stderr: clean(stderr) };
}

/** A program of these files must do the same with warmshard as without. */
export function same(
  t: ExecutionContext,
  files: Files,
  options: SameOptions = {},
): Promise<Ended & { lines: string[] }> {
  return new Program(t, files).same(options);
}
