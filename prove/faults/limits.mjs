// A process that runs out of descriptors or address space, and a clock that jumps. Each runs in a child of its own.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { report, skipped } from '../lib/options.mjs';
import { FOR_EVER } from '../lib/patience.mjs';
import { Control, environment, library } from './control.mjs';

const CHILD = fileURLToPath(new URL('starved.mjs', import.meta.url));

/** @param {string} dir */
export function limits(dir) {
  const at = `${dir}/limits`;
  mkdirSync(at);
  /** @param {string} title @param {string} what @param {string} limit @param {NodeJS.ProcessEnv} [env] */
  const starve = (title, what, limit, env = process.env) => {
    const args = [
      '-c',
      `${limit} exec "$@"`,
      'sh',
      process.execPath,
      '--expose-gc',
      CHILD,
      what,
      at,
      env.FAULTS_CONTROL ?? '',
    ];
    const { status, signal, stdout, stderr } = spawnSync('sh', args, {
      env,
      encoding: 'utf8',
      timeout: FOR_EVER,
    });
    if (status !== 0) report(title, `the host ended with ${signal ?? status}`, [stderr.slice(-2000)]);
    else {
      const { figure, wrong } = JSON.parse(stdout);
      report(title, figure, wrong);
    }
  };
  starve('no descriptor left', 'descriptors', 'ulimit -n 64;');
  const built = library(dir);
  if ('missing' in built) {
    skipped('no address space left', built.missing);
    skipped('a clock that goes back', built.missing);
    return;
  }
  // A real limit would kill V8, which reserves gigabytes. So only the mappings of our files are refused.
  const control = `${dir}/limits-control`;
  new Control(control).close();
  const env = environment(built.path, at, control);
  starve('no address space left', 'maps', '', env);
  starve('a clock that goes back', 'clock', '', env);
}
