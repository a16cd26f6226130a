// A program of ES modules and CommonJS, which import and require each other, printed something else with warmshard.

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Project } from '../helpers/typed-program.js';

/** A small WebAssembly module that exports `one`, a function that returns 1. */
const WASM = Buffer.from(
  '0061736d010000000105016000017f03020100070701036f6e65000' + '00a06010400' + '41010b',
  'hex',
);

const FILES = {
  'package.json': '{ "imports": { "#own": "./own.cjs" } }',
  'own.cjs': 'exports.own = "imports";\n',
  'main.mjs': `import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { own } from '#own';
import thing, { from } from 'thing';
import { space } from 'space';
import data from './data.json' with { type: 'json' };
const require = createRequire(import.meta.url);
const { instance } = await WebAssembly.instantiate(readFileSync(new URL('./one.wasm', import.meta.url)));
console.log(own, from, require('thing').from, typeof thing, space, data.v, instance.exports.one());
const { cjs } = await import('./cjs.cjs');
console.log(await cjs(), import.meta.dirname === process.cwd());
`,
  'cjs.cjs': `exports.cjs = async () => {
  const { late } = await import('./late.mjs');
  let required;
  try { required = require('./late.mjs').late; } catch (error) { required = error.code; }
  return [late, required, require('space').space].join();
};
`,
  'late.mjs': 'export const late = "late";\nexport default 1;\n',
  'data.json': '{ "v": 7 }',
  'node_modules/thing/package.json': '{ "exports": { "import": "./esm.mjs", "require": "./cjs.cjs" } }',
  'node_modules/thing/esm.mjs': 'export const from = "import";\nexport default {};\n',
  'node_modules/thing/cjs.cjs': 'exports.from = "require";\n',
  'packages/space/package.json': '{ "name": "space", "main": "./index.js" }',
  'packages/space/index.js': 'exports.space = __filename.includes("packages");\n',
};

test('output, errors and exit code are the same with warmshard and without, cold and warm', (t) => {
  const project = new Project(t, FILES);
  project.write('one.wasm', WASM as never);
  mkdirSync(join(project.path, 'node_modules'), { recursive: true });
  symlinkSync('../packages/space', join(project.path, 'node_modules/space'));
  const plain = project.run('main.mjs', { plain: true });
  t.is(plain.status, 0, plain.stderr);
  for (let i = 0; i < 3; i++) {
    const { status, stdout, stderr } = project.run('main.mjs');
    t.deepEqual(
      { status, stdout, stderr: stderr.replace(/\(node:\d+\)/g, '') },
      {
        ...plain,
        stderr: plain.stderr.replace(/\(node:\d+\)/g, ''),
      },
    );
  }
});

test('an edited ES module is loaded in its new version', (t) => {
  const project = new Project(t, {
    'main.mjs': "import { a } from './a.mjs';\nconsole.log(a);\n",
    'a.mjs': 'export const a = 1;\n',
  });
  t.is(project.twice(t, 'main.mjs'), '1\n');
  project.write('a.mjs', 'export const a = 2;\n');
  t.is(project.twice(t, 'main.mjs'), '2\n');
});
