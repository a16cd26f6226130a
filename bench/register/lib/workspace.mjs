// Where a program runs: a project of its own below the folder that has its packages, so that it finds them as usual.
// Each mode has its own home folder, temporary folder and cache folder.

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
/** The folder that programs write to. */
const OUT = 'out';
const LONGEST_MS = 120_000;

/**
 * @typedef {import('../programs.mjs').Program} Program
 * @typedef {import('./outcome.mjs').Outcome} Outcome
 * @typedef {import('../modes.mjs').Mode} Mode
 */

/** @param {string} name */
const plain = (name) => name.replace(/\W+/g, '-');

/** A folder that is deleted when the process exits. @param {string} prefix */
function passing(prefix) {
  const folder = mkdtempSync(prefix);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new folder beside the packages. */
export const workFolder = () => passing(join(PROGRAMS, 'work-'));

/** A copy of the packages that may be changed. Its files are hard links: replace them, never write into them. */
export function treeToChange() {
  const tree = passing(`${PROGRAMS}-changed-`);
  const { status } = spawnSync('cp', ['-al', join(PROGRAMS, 'node_modules'), tree], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${PROGRAMS} could not be copied`);
  return tree;
}

export class Workspace {
  /** @param {string} root folder inside one that has node_modules @param {string} name */
  constructor(root, name) {
    this.root = root;
    this.name = plain(name);
    this.project = join(root, this.name);
    mkdirSync(this.project, { recursive: true });
  }

  /** A workspace with the files that programs work on. @param {string} root @param {string} name */
  static of(root, name) {
    const workspace = new Workspace(root, name);
    cpSync(FIXTURE, workspace.project, { recursive: true });
    return workspace;
  }

  /** Lets the programs find warmshard by its name. */
  install() {
    mkdirSync(join(this.project, 'node_modules'));
    symlinkSync(PACKAGE, join(this.project, 'node_modules/warmshard'));
  }

  /** The absolute path of a file in node_modules or in the project. @param {string} path */
  resolve(path) {
    if (!path.startsWith('node_modules/')) return join(this.project, path);
    for (let folder = this.root; ; folder = dirname(folder))
      if (existsSync(join(folder, 'node_modules')) || dirname(folder) === folder) return join(folder, path);
  }

  /** The folder with everything that a mode keeps. @param {Mode} mode */
  stateOf(mode) {
    return join(this.root, `${this.name}.${plain(mode.name)}`);
  }

  /** Deletes everything that a mode keeps, so that its next run is a first run. @param {Mode} mode */
  forget(mode) {
    rmSync(this.stateOf(mode), { recursive: true, force: true });
  }

  /**
   * Runs `node ARGS` in a mode and returns the outcome. Unless it is `timed`, files that earlier runs wrote are deleted
   * first, and output goes to files, because Node.js loses the end of it if a pipe is full when the program exits.
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
    // The folders of a mode must not make its output differ.
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

/** The environment of a program; without our own, such as NODE_OPTIONS or the variables of npm. @param {string} state */
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
