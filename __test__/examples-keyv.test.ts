// In the example for two machines, both still did all of the work.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

test('examples/second-tier.mjs transpiles each file on one machine only', (t) => {
  const example = join(__dirname, '../examples/second-tier.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  t.is(status, 0, stdout + stderr);
  const lines = [
    ...stdout.matchAll(/: (\d+) files, (\d+) transpiled, (\d+) from the engine, (\d+) .*output (\w+)/g),
  ];
  const files = lines[0]?.[1];
  t.true(Number(files) > 30, stdout);
  const told = lines.map((line) => line.slice(1, 5));
  t.deepEqual(told, [
    [files, files, '0', files],
    [files, '0', files, '0'],
    [files, '0', '0', '0'],
  ]);
  t.is(new Set(lines.map((line) => line[5])).size, 1, stdout);
  t.is(stderr, '');
});
