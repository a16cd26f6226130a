// Programs with `warmshard/register`: a project in a folder of its own, run with it and without.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { folder } from './folder.js';
import { scripts } from './program.js';

const root = dirname(require.resolve('warmshard/package.json'));
export const REGISTER = join(root, 'dist/register.cjs');

/** How a program ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Whether the program starts by itself, without us. */
  plain?: boolean;
  nodeArgs?: string[];
  args?: string[];
  env?: Record<string, string>;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Whether there are hooks for ES modules. */
export const HOOKS = major > 22 || (major === 22 && minor >= 15);
/** Whether Node.js runs TypeScript by itself. */
export const STRIPS = Boolean((process.features as { typescript?: unknown }).typescript);

/** What a transpiler of a test writes when it is loaded, and for each file. */
const LOG = 'transpiler.log';

export class Project {
  readonly path: string;
  readonly home: string;

  constructor(t: ExecutionContext, files: Record<string, string>) {
    const base = realpathSync(folder(t));
    this.path = join(base, 'project');
    this.home = join(base, 'home');
    mkdirSync(this.path);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  /** Writes a file as if long ago, so that nothing about it is in doubt. */
  write(name: string, text: string, second = 1_600_000_000): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    utimesSync(file, second, second);
    return file;
  }

  /** A package that lies in this repository. */
  link(name: string): void {
    mkdirSync(join(this.path, 'node_modules'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(this.path, 'node_modules', name));
  }

  /** esbuild, which writes down when it is loaded and what it is given. */
  watchedTranspiler(version = '1.0.0'): void {
    const real = JSON.stringify(join(root, 'node_modules/esbuild'));
    const log = JSON.stringify(join(this.path, LOG));
    this.write('node_modules/esbuild/package.json', `{ "name": "esbuild", "version": "${version}" }`);
    this.write(
      'node_modules/esbuild/index.js',
      `const { appendFileSync } = require('node:fs');
appendFileSync(${log}, 'loaded\\n');
const real = require(${real});
exports.transformSync = (source, options) => {
  appendFileSync(${log}, require('node:path').basename(options.sourcefile) + '\\n');
  return real.transformSync(source, options);
};`,
    );
  }

  /** What the transpiler did since this was last asked. */
  transpiled(): string[] {
    const file = join(this.path, LOG);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
    writeFileSync(file, '');
    return lines;
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { recursive: true });
  }

  /** Runs a program of the project to its end. */
  run(name: string, { plain = false, nodeArgs = [], args = [], env = {} }: RunOptions = {}): Ended {
    const all = [...nodeArgs, ...(plain ? [] : ['-r', REGISTER]), join(this.path, name), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, {
      cwd: this.path,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: this.path, ...scripts, WARMSHARD_HOME: this.home, ...env },
    });
    return { status, stdout, stderr };
  }

  /** Runs it twice, cold and warm: both must end well and say the same. */
  twice(t: ExecutionContext, name: string, options: RunOptions = {}): string {
    const [cold, warm] = [this.run(name, options), this.run(name, options)];
    for (const run of [cold, warm]) t.is(run.status, 0, run.stderr);
    t.is(warm.stdout, cold.stdout);
    t.is(warm.stderr, cold.stderr);
    return warm.stdout;
  }
}
