// Where a program runs: a project of its own below the folder that has its packages, so that it finds them as it
// does in life; and for each way to start it a home, a folder for temporary files and one for caches.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAMS } from '../../setup/programs.mjs';
import { filesIn } from './outcome.mjs';

const FIXTURE = fileURLToPath(new URL('../fixtures/project', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));
/** What a program writes. */
const OUT = 'out';
const LONGEST_MS = 120_000;

/**
 * @typedef {import('../programs.mjs').Program} Program
 * @typedef {import('./outcome.mjs').Outcome} Outcome
 * @typedef {import('../modes.mjs').Mode} Mode
 */

/** @param {string} name */
const plain = (name) => name.replace(/\W+/g, '-');

/** A folder that is gone with the process. @param {string} prefix */
function passing(prefix) {
  const folder = mkdtempSync(prefix);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder beside the packages. */
export const workFolder = () => passing(join(PROGRAMS, 'work-'));

/** A folder with the packages once more, to be changed: a file is shared until it is replaced. */
export function treeToChange() {
  const tree = passing(`${PROGRAMS}-changed-`);
  const { status } = spawnSync('cp', ['-al', join(PROGRAMS, 'node_modules'), tree], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${PROGRAMS} could not be copied`);
  return tree;
}

export class Workspace {
  /** @param {string} root a folder below one that has node_modules @param {string} name */
  constructor(root, name) {
    this.root = root;
    this.name = plain(name);
    this.project = join(root, this.name);
    mkdirSync(this.project, { recursive: true });
  }

  /** One with the files that programs work on. @param {string} root @param {string} name */
  static of(root, name) {
    const workspace = new Workspace(root, name);
    cpSync(FIXTURE, workspace.project, { recursive: true });
    return workspace;
  }

  /** Has its programs find this package by its name. */
  install() {
    mkdirSync(join(this.project, 'node_modules'));
    symlinkSync(PACKAGE, join(this.project, 'node_modules/warmshard'));
  }

  /** A path of a program: in node_modules, or in its project. @param {string} path */
  resolve(path) {
    if (!path.startsWith('node_modules/')) return join(this.project, path);
    for (let folder = this.root; ; folder = dirname(folder))
      if (existsSync(join(folder, 'node_modules')) || dirname(folder) === folder) return join(folder, path);
  }

  /** What a way to start programs keeps. @param {Mode} mode */
  stateOf(mode) {
    return join(this.root, `${this.name}.${plain(mode.name)}`);
  }

  /** As if it had never run. @param {Mode} mode */
  forget(mode) {
    rmSync(this.stateOf(mode), { recursive: true, force: true });
  }

  /**
   * Runs `node ARGS` this way and tells how it went; what it wrote before is gone first, unless it is `timed`. What it prints
   * goes into files, unless it is `timed`: Node.js loses the end of it where a pipe is full when the program exits.
   *
   * @param {Mode} mode
   * @param {readonly string[]} args
   * @param {{ timed?: boolean, cwd?: string, env?: Record<string, string> }} [options]
   * @returns {Outcome}
   */
  run(mode, args, { timed = false, cwd = this.project, env: more } = {}) {
    const out = join(this.project, OUT);
    if (!timed) rmSync(out, { recursive: true, force: true });
    const state = this.stateOf(mode);
    for (const name of ['home', 'tmp', 'cache']) mkdirSync(join(state, name), { recursive: true });
    const cache = join(state, 'cache');
    const options = { cwd, env: { ...environment(state), ...mode.env?.(cache), ...more } };
    const all = [...(mode.args ?? []), ...args];
    const texts = ['stdout', 'stderr'].map((name) => join(state, name));
    const stdio = texts.map((path) => (timed ? 'pipe' : openSync(path, 'w')));
    const started = process.hrtime.bigint();
    const { status, signal, error, ...piped } = spawnSync(process.execPath, all, {
      ...options,
      encoding: 'utf8',
      stdio: ['ignore', ...stdio],
      timeout: LONGEST_MS,
      maxBuffer: 2 ** 28,
    });
    const wall = Number(process.hrtime.bigint() - started) / 1e6;
    for (const file of stdio) if (file !== 'pipe') closeSync(file);
    const [stdout, stderr] = timed
      ? [piped.stdout, piped.stderr]
      : texts.map((path) => readFileSync(path, 'utf8'));
    // Not a word of the caches' own places, which differ from one way to the next.
    const told = (/** @type {string} */ text) => text.replaceAll(state, '<state>');
    return {
      wall,
      exit: error && !signal ? error.message : (signal ?? `${status}`),
      stdout: told(stdout ?? ''),
      stderr: told(stderr ?? ''),
      files: timed ? '' : filesIn(out),
    };
  }

  /** @param {Program} program @param {Mode} mode @param {{ timed?: boolean, env?: Record<string, string> }} [options] */
  start(program, mode, options) {
    return this.run(mode, [this.resolve(`node_modules/${program.bin}`), ...program.args], options);
  }
}

/** Nothing of ours reaches a program: neither options for Node.js nor what npm sets. @param {string} state */
function environment(state) {
  return {
    PATH: process.env.PATH ?? '',
    LANG: process.env.LANG ?? 'C.UTF-8',
    HOME: join(state, 'home'),
    TMPDIR: join(state, 'tmp'),
    CI: '1',
    NO_COLOR: '1',
    NO_UPDATE_NOTIFIER: '1',
  };
}
