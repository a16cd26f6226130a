// A newcomer ran the example for compilers, and it did not do what it said.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

test('the example for compilers runs, and finds every artifact the second time', (t) => {
  const example = join(__dirname, '..', 'examples', 'compile-c.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], {
    encoding: 'utf8',
    timeout: 540_000,
  });
  t.is(status, 0, `${stdout}\n${stderr}`);
  t.regex(stdout, /every artifact is what the compiler makes/);
});
