// A script of one line took four milliseconds longer because of a cache that it did not need.

import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Files, major, Program, type RunOptions, register } from '../helpers/program.js';

/** Prints at exit whether the addon is loaded. */
const AT_END = `process.on('exit', () => { const maps = require('fs').readFileSync('/proc/self/maps', 'latin1');
console.log(/warmshard[^/]*\\.node$/m.test(maps) ? 'addon' : 'no addon'); });`;

const life: RunOptions = { small: true };

const linux = process.platform === 'linux' ? test : test.skip;

linux('a program that requests no file loads no addon and opens no shard', async (t) => {
  const programs: Record<string, [text: string, options?: RunOptions]> = {
    'nothing else': [''],
    'modules of Node.js': [`require('os'); require('node:path'); require('module')`],
    'the word import': [`// important: import nothing (`],
    'options that change nothing': ['', { node: ['--no-warnings', '--max-old-space-size=64'] }],
  };
  for (const [what, [text, options]] of Object.entries(programs)) {
    const program = new Program(t, { 'app.js': `${AT_END}\n${text}` });
    const { stdout } = await program.run({ ...life, ...options });
    t.is(stdout, 'no addon\n', what);
    t.false(existsSync(program.home), what);
  }
});

if (linux === test && major >= 22)
  for (const [main, files] of Object.entries({
    'app.cjs': { 'app.cjs': `${AT_END}\nimport('./b.mjs')` },
    'app.mjs': {
      'app.mjs': `import './at-end.cjs'; import './b.mjs'`,
      'at-end.cjs': AT_END.replace('require(', 'process.getBuiltinModule('),
    },
  }))
    test(`${main}, which imports, loads no addon until a CommonJS module requests a file`, async (t) => {
      const program = new Program(t, {
        ...files,
        'b.mjs': `import stack from './c.cjs'; console.log(stack, process.getBuiltinModule('module').getCompileCacheDir())`,
        'c.cjs': `module.exports = new Error('c').stack`,
      });
      const said = async (more?: RunOptions) => (await program.run({ ...life, main, ...more })).stdout;
      const cold = await said();
      t.true(cold.includes(join(program.home, 'esm')) && cold.endsWith('\nno addon\n'), cold);
      t.is(await said(), cold);
      t.is(
        await said({ register: false, env: { NODE_COMPILE_CACHE: join(program.home, 'esm') } }),
        await said(),
      );
      program.write({
        'c.cjs': `module.exports = require('./d.cjs')`,
        'd.cjs': `module.exports = new Error('d').stack`,
      });
      t.true((await said()).endsWith('\naddon\n'));
      // Node.js' cache folder is not used if others can write to it; then the addon is needed.
      chmodSync(join(program.home, 'esm'), 0o777);
      program.write({ 'c.cjs': '' });
      t.true((await said()).endsWith('\naddon\n'));
    });

linux('a small program is served from its first request on', async (t) => {
  const program = new Program(t, { 'app.js': `${AT_END} require('./a')`, 'a.js': '' });
  for (const what of ['cold', 'warm']) t.is((await program.run(life)).stdout, 'addon\n', what);
  const { lines } = await program.run({ ...life, debug: true });
  t.deepEqual(lines, [`aside ${program.at('app.js')}: small`, `hit ${program.at('a.js')}`]);
});

test('a large main module is served, and a small one that another file requires, too', async (t) => {
  const program = new Program(t, {
    'app.js': `require('./a')\n//${'x'.repeat(32 << 10)}`,
    'a.js': '',
    'launch.js': `require('./b')`,
    'b.js': '',
  });
  for (const main of ['app.js', 'launch.js'])
    for (let i = 0; i < 2; i++) await program.run({ ...life, main });
  const hits = async (main: string) =>
    (await program.run({ ...life, main, debug: true })).lines.filter((line) => line.startsWith('hit '));
  t.deepEqual(await hits('app.js'), [`hit ${program.at('app.js')}`, `hit ${program.at('a.js')}`]);
  t.deepEqual(await hits('launch.js'), [`hit ${program.at('b.js')}`]);
});

const same: Record<string, [Files, RunOptions?]> = {
  'the loader patched before the first file': [
    {
      'app.js': `const Module = require('module'); const { _load, _resolveLookupPaths: paths } = Module; const asked = [];
Module._resolveLookupPaths = function (request) { asked.push(request); return paths.apply(this, arguments); };
Module._load = function (request) { return request === 'mocked' ? 'mock' : _load.apply(this, arguments); };
console.log(require('mocked'), require('./a'), asked);`,
      'a.js': `module.exports = [require('./b'), new Error('a').stack]`,
      'b.js': '',
    },
  ],
  'a handler that is read before the first file and restored later': [
    {
      'app.js': `const js = require.extensions['.js']; console.log(String(js).slice(0, 8), require.extensions['.js'] === js);
require.extensions['.js'] = (module, file) => { console.log('hooked', module.id === file); js(module, file); };
console.log(require('./a')); require.extensions['.js'] = js; console.log(require('./b'), require.extensions['.js'] === js)`,
      'a.js': `module.exports = new Error('a').stack`,
      'b.js': `module.exports = new Error('b').stack`,
    },
  ],
  'sources that are changed while they are loaded': [
    {
      'app.js': `const Module = require('module'), fs = require('fs'); const { _compile } = Module.prototype, read = fs.readFileSync;
Module.prototype._compile = function (text, ...more) { return _compile.call(this, text.replace('before', 'after'), ...more); }; console.log(require('./a'));
Module.prototype._compile = _compile; fs.readFileSync = (file, ...more) => String(file).endsWith('b.js') ? 'module.exports = "read"' : read(file, ...more); console.log(require('./b'));`,
      'a.js': `module.exports = 'before'`,
      'b.js': `module.exports = 'b'`,
    },
  ],
  'the environment and the working folder changed before the first file': [
    {
      'app.js': `process.chdir('sub'); process.env.HOME = '/nowhere'; process.env.NODE_OPTIONS = '--no-such'; process.execArgv.length = 0; process.argv[1] = 'x'; console.log(require('./a'))`,
      'a.js': `module.exports = process.cwd().split('/').pop()`,
      'sub/c.js': '',
    },
  ],
  'an error before the first file, and in it': [
    {
      'app.js': `try { null.x } catch (e) { console.log(e.stack) } console.log(new Error('here').stack); require('./a')`,
      'a.js': `console.log(new Error('a').stack); throw new Error('a')`,
    },
  ],
  'an ES module': [
    { 'app.mjs': `import './a.cjs'; console.log(import.meta.url)`, 'a.cjs': '' },
    { main: 'app.mjs' },
  ],
  'an ES module by its manifest': [
    {
      'package.json': '{"type":"module"}',
      'app.js': `import a from './a.cjs'; console.log(a)`,
      'a.cjs': `module.exports = new Error('a').stack`,
    },
  ],
  'text to evaluate': [
    { 'a.js': `module.exports = new Error('a').stack` },
    { main: '', node: ['-p', `require('./a')`] },
  ],
  'standard input': [
    { 'a.js': `module.exports = new Error('a').stack` },
    { main: '', node: ['-'], input: `console.log(require('./a'))` },
  ],
  'a prompt': [
    { 'a.js': 'module.exports = __filename' },
    { main: '', node: ['-i'], input: `require('./a')\n` },
  ],
  'a worker': [
    {
      'app.js': `const { Worker } = require('worker_threads'); new Worker(__dirname + '/w.js').on('message', console.log)`,
      'w.js': `const a = require('./a'); require('worker_threads').parentPort.postMessage([a, new Error('w').stack])`,
      'a.js': `module.exports = new Error('a').stack`,
    },
  ],
};

for (const [what, [files, options]] of Object.entries(same))
  test(what, async (t) => {
    const program = new Program(t, files);
    const expected = await program.plain(options);
    for (const state of ['cold', 'warm']) await program.one(state, expected, { ...options, ...life });
  });

test('a program that uses the API gets it at once', async (t) => {
  const program = new Program(t, {
    'app.js': `const { enable, status } = require(process.env.DOOR); console.log(status().enabled);
enable({ path: __dirname + '/own.shard' }); require('./a'); console.log(status().path === __dirname + '/own.shard', status().misses)`,
    'a.js': '',
  });
  const { stdout } = await program.run({ ...life, env: { DOOR: register } });
  t.is(stdout, 'true\ntrue 1\n');
  t.true(existsSync(program.at('own.shard')));
  const off = await program.run({ ...life, env: { DOOR: register, WARMSHARD: '0' } });
  t.is(off.stdout.split('\n')[0], 'false');
});

test('a program runs on if the package is removed meanwhile', async (t) => {
  const program = new Program(t, { 'app.js': `require('./a')`, 'a.js': `console.log('a')` });
  // Only the first file of the package.
  const copy = program.at('door.cjs');
  const { readFileSync } = await import('node:fs');
  writeFileSync(copy, readFileSync(join(register)));
  const { stdout, code } = await program.run({ ...life, register: false, node: ['-r', copy] });
  t.deepEqual([stdout, code], ['a\n', 0]);
});

if (major >= 22)
  test('a small ES module gets the compile cache of Node.js, too', async (t) => {
    const files = {
      'package.json': '{"type":"module"}',
      'app.js': `import './b.js'`,
      'b.js': 'export default 1',
    };
    const program = new Program(t, files);
    await program.run(life);
    t.true(existsSync(join(program.home, 'esm')));
  });
