// A program registered an extension, like ts-node, and none of its requests before that was ever recorded.

import test from 'ava';
import { type Files, Program } from '../helpers/program.js';

/** The lines of a run that say that something was written; a warm run must have none. */
const nothingWritten = (lines: string[]) => lines.filter((line) => line.startsWith('wrote'));

const extending: Files = {
  'app.js': `console.log(require('./a'), require('pkg')); require.extensions['.own'] = require.extensions['.js']; console.log(require('./b'))`,
  'a.js': `module.exports = require('./lib')`,
  'lib/index.js': `module.exports = 'lib'`,
  'b.own': `module.exports = __filename`,
  'node_modules/pkg/package.json': '{ "exports": "./main.js" }',
  'node_modules/pkg/main.js': `module.exports = 'pkg'`,
};

test('requests are recorded with the extensions that were tried, whatever is added later', async (t) => {
  const program = new Program(t, extending);
  const { lines } = await program.same({
    hits: ['app.js', 'a.js', 'lib/index.js', 'node_modules/pkg/main.js'],
  });
  t.deepEqual(nothingWritten(lines), []);
  // This file would be found if `.own` had been tried.
  program.write({ 'a.own': '' });
  await program.same();
});

test('whatever Node.js warns about, it warns about in every run', async (t) => {
  const program = new Program(t, {
    'app.js': `for (const request of ['slash', 'slash/x/a', 'slash/x//a', 'slash/y/a', 'gone']) console.log(require(request))`,
    'node_modules/slash/package.json': JSON.stringify({
      exports: { '.': './lib//a.js', './x/*': './lib/*.js', './y*': './lib*.js' },
    }),
    'node_modules/slash/lib/a.js': 'module.exports = __filename',
    'node_modules/gone/package.json': '{ "main": "gone.js" }',
    'node_modules/gone/index.js': 'module.exports = __filename',
  });
  const { stderr } = await program.same({ tidy: (text) => text.replace(/\(node:\d+\)/g, '') });
  t.is(stderr.match(/DEP0166/g)?.length, 3);
  t.is(stderr.match(/DEP0128/g)?.length, 1);
});

test('requests that fail are recorded, and again once they succeed', async (t) => {
  const program = new Program(t, {
    'package.json': '{ "imports": { "#here": "./here.js" } }',
    'app.js': `for (const request of ['./gone', 'no-such-package', '#gone', '#here']) try { console.log(require(request)) } catch (e) { console.log(e.code) }`,
    'here.js': `module.exports = 'here'`,
  });
  t.deepEqual(nothingWritten((await program.same()).lines), []);
  program.write({ 'gone.js': `module.exports = 'there'`, 'node_modules/no-such-package/index.js': '' });
  const hits = ['app.js', 'gone.js', 'node_modules/no-such-package/index.js'];
  const { stdout, lines } = await program.same({ hits });
  t.regex(stdout, /^there\n/);
  t.deepEqual(nothingWritten(lines), []);
});

test("results from the shard are entered into the loader's own cache of paths", async (t) => {
  const program = new Program(t, {
    'app.js': `const Module = require('module'), fs = require('fs'); require('./a'); require('./b'); require.resolve.paths('./d'); console.log(Object.entries(Module._pathCache).filter(([key]) => key.startsWith('./')));
fs.writeFileSync(__dirname + '/c', "module.exports = 'c without an extension'"); console.log(require('./c'));
for (const key of Object.keys(Module._pathCache)) delete Module._pathCache[key]; delete require.cache[__dirname + '/c.js']; console.log(require('./c')); fs.rmSync(__dirname + '/c')`,
    'a.js': `require('./c')`,
    'b.js': `require('./c')`,
    'c.js': `module.exports = 'c.js'`,
    'd.js': '',
  });
  await program.same();
});

test('requests of files that another package transpiles are resolved as usual', async (t) => {
  const program = new Program(t, {
    'app.js': `require.extensions['.ts'] = (module, file) => module._compile(require('fs').readFileSync(file, 'utf8'), file); console.log(require('./x.ts'))`,
    'x.ts': `module.exports = require('./y')`,
    'y.js': `module.exports = 'js'`,
    'y.ts': `module.exports = 'ts'`,
  });
  t.deepEqual(nothingWritten((await program.same()).lines), []);
});
