// Fetches the programs that the benchmark and the parity tests of warmshard/register start, in the versions of
// bench/register/programs/package-lock.json. They go to target/; their install scripts are not run.
//
//   npm run bench:programs

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOCKED = fileURLToPath(new URL('../register/programs', import.meta.url));
const FILES = ['package.json', 'package-lock.json', '.npmrc'];
/** The folder that contains their `node_modules`, and work folders beside it. */
export const PROGRAMS = fileURLToPath(new URL('../../target/bench/programs', import.meta.url));
/** A copy of the lock file, written when an install has finished. */
const DONE = join(PROGRAMS, 'installed.json');

const locked = () => readFileSync(join(LOCKED, 'package-lock.json'), 'utf8');

/** Whether the programs are installed in the versions of the current lock file. */
export const installed = () => existsSync(DONE) && readFileSync(DONE, 'utf8') === locked();

export const MISSING = 'the programs are not installed: npm run bench:programs';

function install() {
  mkdirSync(PROGRAMS, { recursive: true });
  rmSync(DONE, { force: true });
  for (const name of FILES) copyFileSync(join(LOCKED, name), join(PROGRAMS, name));
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, { cwd: PROGRAMS, stdio: 'inherit' });
  if (status === 0) writeFileSync(DONE, locked());
  return status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = installed() ? 0 : install();
