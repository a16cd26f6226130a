// A project's own tests passed without the cache, and one failed with it: it looked at a stack trace, at the text of a
// function, or at what a stubbed `require` returned.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Expectation } from '../../bench/register/lib/outcome.mjs';
import { Workspace } from '../../bench/register/lib/workspace.mjs';
import { NONE, WARMSHARD } from '../../bench/register/modes.mjs';
import { ready } from './helpers/ready.js';

/** Packages that ship their tests, how to run these, and how many test files must pass without warmshard. */
const SUITES: Record<string, { files: number; runner?: string[] }> = {
  resolve: { files: 15 },
  qs: { files: 3 },
  'object-inspect': { files: 15 },
  minimist: { files: 14 },
  'side-channel': { files: 1 },
  'internal-slot': { files: 1 },
  'fast-uri': { files: 25 },
  // Replaces Module._load, Module._resolveFilename and require.extensions.
  proxyquire: { files: 8, runner: ['mocha/bin/mocha.js', '--no-config', '--reporter', 'tap'] },
};

const tree = ready();

for (const [name, { files: least, runner = [] }] of Object.entries(SUITES))
  test.serial(`the tests of ${name} print the same`, (t) => {
    const workspace = new Workspace(join(tree, 'work'), name);
    const cwd = join(tree, 'node_modules', name);
    const [binary, ...options] = runner;
    const before = binary === undefined ? [] : [join(tree, 'node_modules', binary), ...options];
    const run = (mode: typeof NONE, file: string) =>
      workspace.run(mode, [...before, join('test', file)], { cwd });

    const files = readdirSync(join(cwd, 'test')).filter((file) => file.endsWith('.js'));
    const able = files
      .map((file) => ({ file, expected: new Expectation(() => run(NONE, file)) }))
      .filter(({ expected }) => expected.sample.exit === '0');
    t.true(able.length >= least, `only ${able.length} of ${files.length} pass without warmshard`);
    for (const when of ['cold', 'warm', 'warm again'])
      for (const { file, expected } of able)
        t.is(expected.differs(run(WARMSHARD, file)), undefined, `${file}, ${when}`);
  });
