// Runs Keyv's own compliance suite, `@keyv/test-suite`, against `KeyvShard`, with each major version of Keyv that is
// supported. The versions are installed with npm, in target/keyv. Usage: npm run test:keyv
//
// Not a part of `npm test`: the suite comes with vitest and much else, 60 MB of it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { execPath } = process;

/**
 * The suites of Keyv 4 are for ava, later ones for vitest. That of Keyv 6 is not published: it gets that of Keyv 5,
 * without a test whose expectation is Keyv 5's own (`delete` of many keys gives one boolean; in Keyv 6 an array).
 */
const VERSIONS = [
  { keyv: '4.5.4', suite: '1.9.5', runner: 'ava', without: undefined },
  { keyv: '5.6.0', suite: '2.1.2', runner: 'vitest', without: undefined },
  {
    keyv: '6.1.0',
    suite: '2.1.2',
    runner: 'vitest',
    without: '.deleteMany([keys]) with nonexistent keys resolves to false',
  },
];

/** @param {string} path of the shard @param {string} runner */
const program = (path, runner) => `
import * as keyv from 'keyv';
import * as published from '@keyv/test-suite';
import * as runner from ${JSON.stringify(runner)};
import { KeyvShard } from 'warmshard/keyv';

const Keyv = keyv.Keyv ?? keyv.default;
const suite = published.default.default === undefined ? published : published.default;
const test = runner.it === undefined ? runner.default : runner;
const store = () => new KeyvShard(${JSON.stringify(path)});
suite.default(test, Keyv, store);
suite.keyvIteratorTests(test, Keyv, store);
`;

/** @param {string} dir @param {string} command @param {string[]} args */
function run(dir, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: dir, stdio: 'inherit' });
  if (error) throw error;
  return status === 0;
}

let failed = false;
for (const { keyv, suite, runner, without } of VERSIONS) {
  const dir = join(root, 'target/keyv', keyv);
  const modules = join(dir, 'node_modules');
  if (!existsSync(join(modules, '@keyv/test-suite'))) {
    mkdirSync(dir, { recursive: true });
    // The suite for Keyv 5 also runs with Keyv 6, which it does not ask for.
    const dependencies = { keyv, '@keyv/test-suite': suite, warmshard: `file:${root}` };
    const overrides = { keyv };
    writeFileSync(
      join(dir, 'package.json'),
      JSON.stringify({ private: true, type: 'module', dependencies, overrides }),
    );
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps'];
    if (!run(dir, 'npm', ['install', ...quietly])) process.exit(1);
  }
  const path = join(dir, 'suite.shard');
  for (const file of [path, `${path}.lock`]) rmSync(file, { force: true });
  writeFileSync(join(dir, 'suite.test.mjs'), program(path, runner));
  console.log(`\nKeyv ${keyv}, @keyv/test-suite ${suite}`);
  const pattern = `^(?!${(without ?? '').replaceAll(/[.[\]()]/g, '\\$&')}$)`;
  const passed =
    runner === 'ava'
      ? run(dir, execPath, [join(root, 'node_modules/ava/entrypoints/cli.mjs'), 'suite.test.mjs'])
      : run(dir, execPath, [
          join(modules, 'vitest/vitest.mjs'),
          'run',
          ...(without === undefined ? [] : ['-t', pattern]),
        ]);
  failed ||= !passed;
}
process.exit(failed ? 1 : 0);
