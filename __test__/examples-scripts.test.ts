// The example in the guide had not run since the release before last.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);

/** Runs an example, which checks itself, and gives what it prints. */
async function example(name: string): Promise<string> {
  const path = join(__dirname, '..', 'examples', `${name}.mjs`);
  const { stdout, stderr } = await run(process.execPath, [path]);
  return stdout + stderr;
}

test.serial('templates: the second process compiles none', async (t) => {
  const printed = await example('script-cache');
  t.log(printed);
  t.regex(printed, /second process: 0 templates compiled, 13 loaded/);
});

test.serial('functions: 16,384 in one commit, and only the new ones are missing', async (t) => {
  const printed = await example('autoload');
  t.log(printed);
  t.regex(printed, /process 1: 16384 missing/);
  t.regex(printed, /process 2: 100 missing/);
  t.regex(printed, /process 3: 0 missing/);
});
