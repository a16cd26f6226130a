// TypeScript projects, each in a folder of its own, run with and without `warmshard/register`.

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
  /** Whether to run the program without warmshard. */
  plain?: boolean;
  nodeArgs?: string[];
  args?: string[];
  env?: Record<string, string>;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Whether this Node.js has the hooks for ES modules that `warmshard/register` needs. */
export const HOOKS = major > 22 || (major === 22 && minor >= 15);
/** Whether Node.js runs TypeScript by itself. */
export const STRIPS = Boolean((process.features as { typescript?: unknown }).typescript);

/** The file to which the watched transpiler writes when it is loaded, and for each file that it transpiles. */
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

  /** Writes a file with an old modification time, so that its contents need not be compared. */
  write(name: string, text: string, second = 1_600_000_000): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    utimesSync(file, second, second);
    return file;
  }

  /** Links a package of this repository into the project. */
  link(name: string): void {
    mkdirSync(join(this.path, 'node_modules'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(this.path, 'node_modules', name));
  }

  /** Installs a wrapper of esbuild that logs when it is loaded and which files it transpiles. */
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

  /** What the watched transpiler has logged since the last call. */
  transpiled(): string[] {
    const file = join(this.path, LOG);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
    writeFileSync(file, '');
    return lines;
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { recursive: true });
  }

  /** Runs a program of the project. */
  run(name: string, { plain = false, nodeArgs = [], args = [], env = {} }: RunOptions = {}): Ended {
    const all = [...nodeArgs, ...(plain ? [] : ['-r', REGISTER]), join(this.path, name), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, {
      cwd: this.path,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: this.path, ...scripts, WARMSHARD_HOME: this.home, ...env },
    });
    return { status, stdout, stderr };
  }

  /** Runs a program twice, cold and warm. Both runs must exit with 0 and print the same. */
  twice(t: ExecutionContext, name: string, options: RunOptions = {}): string {
    const [cold, warm] = [this.run(name, options), this.run(name, options)];
    for (const run of [cold, warm]) t.is(run.status, 0, run.stderr);
    t.is(warm.stdout, cold.stdout);
    t.is(warm.stderr, cold.stderr);
    return warm.stdout;
  }
}
