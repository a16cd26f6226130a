// The example in the documentation had stopped working two releases ago.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

test('examples/pipeline-wasm.mjs compiles once and proves it', (t) => {
  const example = join(__dirname, '../examples/pipeline-wasm.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  t.is(status, 0, stdout + stderr);
  const [, modules] = /^(\d+) modules/.exec(stdout) ?? [];
  t.true(Number(modules) > 50, stdout);
  t.true(stdout.includes(`second process: 0 compiled, ${modules} from the cache`), stdout);
  t.true(stdout.includes('what the modules print is the same'), stdout);
  t.is(stderr, '');
});
