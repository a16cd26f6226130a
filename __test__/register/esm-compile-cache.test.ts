// A tool made of ES modules compiled all of them at each start, because only CommonJS was served from the shard.

import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Project } from '../helpers/typed-program.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const cached = major > 22 || (major === 22 && minor >= 1) ? test : test.skip;

const SAYS = "console.log(require('node:module').getCompileCacheDir?.() !== undefined);\n";
const FILES = {
  'main.mjs':
    "import { getCompileCacheDir } from 'node:module';\nconsole.log(getCompileCacheDir?.() !== undefined);\n",
  'module/package.json': '{ "type": "module" }',
  'module/main.js':
    "import { getCompileCacheDir } from 'node:module';\nconsole.log(getCompileCacheDir?.() !== undefined);\n",
  'plain.cjs': SAYS,
  'imports.cjs': `${SAYS}import('./module/other.js');\n`,
  'requires.cjs': `require('./module/other.js');\n${SAYS}`,
  'module/other.js': 'export const other = 1;\n',
};

for (const [name, on] of [
  ['main.mjs', true],
  ['module/main.js', true],
  ['plain.cjs', false],
  ['imports.cjs', true],
  ['requires.cjs', true],
] as const)
  cached(`${name}: ${on ? 'with' : 'without'} Node.js' compile cache`, (t) => {
    const project = new Project(t, FILES);
    project.run(name);
    const { stdout, status } = project.run(name);
    t.is(status, 0);
    t.is(stdout, `${on}\n`);
    t.is(existsSync(join(project.home, 'esm')), on);
    if (on) t.not(readdirSync(join(project.home, 'esm')).length, 0);
  });

cached('the settings of the user for the compile cache are respected', (t) => {
  const project = new Project(t, FILES);
  t.is(project.run('main.mjs', { env: { NODE_DISABLE_COMPILE_CACHE: '1' } }).stdout, 'false\n');
  const own = join(project.path, 'own');
  t.is(project.run('main.mjs', { env: { NODE_COMPILE_CACHE: own } }).stdout, 'true\n');
  t.true(existsSync(own));
  t.false(existsSync(join(project.home, 'esm')));
});

for (const name of ['main.mjs', 'requires.cjs'])
  cached(`a cache folder that others can write to is not used for ${name}`, (t) => {
    const project = new Project(t, FILES);
    t.is(project.run(name).stdout, 'true\n');
    chmodSync(join(project.home, 'esm'), 0o777);
    t.is(project.run(name).stdout, 'false\n');
  });
