// A test runner mocked a module, and got the real one from the cache.

import test from 'ava';
import { type Files, major, Program, register, type SameOptions, same } from '../helpers/program.js';

/** The way of pirates, which babel, ts-node and istanbul use for their hooks. */
const pirates = `const Module = require('module');
exports.add = (change, matches) => {
  const old = Module._extensions['.js'];
  Module._extensions['.js'] = function newLoader(mod, filename) {
    if (matches(filename)) {
      const compile = mod._compile;
      mod._compile = function _compile(code, name) { mod._compile = compile; mod._compile(change(code), name); };
    }
    old(mod, filename);
  };
  return () => { Module._extensions['.js'] = old };
};`;

const programs: Record<string, Files | [Files, SameOptions]> = {
  'a hook that rewrites sources': {
    'app.js': `const undo = require('./pirates').add((c) => c.replace('before', 'after'), (f) => f.endsWith('a.js')); require('./a'); require('./b'); undo(); delete require.cache[require.resolve('./a')]; require('./a')`,
    'pirates.js': pirates,
    'a.js': `console.log('before', new Error('x').stack)`,
    'b.js': `console.log('before', new Error('x').stack)`,
  },
  'two hooks, one inside the other': {
    'app.js': `const { add } = require('./pirates'); const one = add((c) => c + ';console.log(1)', () => true); add((c) => c + ';console.log(2)', (f) => f.endsWith('a.js')); require('./a'); require('./b');`,
    'pirates.js': pirates,
    'a.js': `try { null.x } catch (e) { console.log(e.stack) }`,
    'b.js': `throw new Error('b')`,
  },
  'a hook preloaded after warmshard': [
    {
      'hook.js': `${pirates}\nexports.add((c) => c.replace('before', 'after'), (f) => f.endsWith('app.js'))`,
      'app.js': `console.log('before', new Error('x').stack); require('./b')`,
      'b.js': `console.log(new Error('b').stack)`,
    },
    { node: ['-r', './hook.js'], hits: ['b.js'] },
  ],
  'a hook in the stack traces of modules that were running when it was set': {
    'app.js': `Error.stackTraceLimit = 50; require('./a')`,
    'a.js': `const { add } = require('./pirates'); const { stack } = new Error('a'); add((c) => c, () => true); console.log(stack, new Error('a').stack); require('./b')`,
    'pirates.js': pirates,
    'b.js': `console.log(new Error('b').stack)`,
  },
  'a program that calls the handler itself': {
    'app.js': `const Module = require('module'); const m = new Module(__dirname + '/a.js', module); m.filename = m.id; m.paths = module.paths; require.extensions['.js'](m, m.filename); console.log(m.exports, m.loaded); const js = require.extensions['.js']; const n = new Module('n'); n.filename = m.filename; js(n, __dirname + '/b.js'); console.log(n.exports)`,
    'a.js': `module.exports = require('./b') + __filename`,
    'b.js': `module.exports = new Error('b').stack.split('\\n').slice(0, 3).join()`,
  },
  'a program that restores and deletes the handler': {
    'app.js': `const old = require.extensions['.js']; require.extensions['.js'] = old; console.log(require('./a')); console.log(require.extensions['.js'] === old, delete require.extensions['.js'], Object.keys(require.extensions)); try { console.log(require('./b')) } catch (e) { console.log(e.message) } require.extensions['.js'] = old; console.log(require('./c'))`,
    'a.js': 'module.exports = 1',
    'b.js': 'module.exports = 2',
    'c.js': 'module.exports = 3',
  },
  '_load patched, as mocks do': {
    'app.js': `const Module = require('module'); const load = Module._load; Module._load = function (request, parent, isMain) { if (request === 'mocked') return { mocked: true }; if (request === './b') return ['b', load.apply(this, arguments)]; return load.apply(this, arguments) }; console.log(require('./a')); Module._load = load; try { require('mocked') } catch (e) { console.log(e.code) } console.log(require('./b'))`,
    'a.js': `module.exports = [require('mocked'), require('./b'), new Error('a').stack]`,
    'b.js': `module.exports = 'real'`,
  },
  'a module with stubs, as proxyquire loads it': {
    'app.js': `const Module = require('module'); const file = require.resolve('./a'); const cached = Module._cache[file]; delete Module._cache[file]; const load = Module._load; Module._load = (r, p, m) => r === './dep' ? { stub: 1 } : load(r, p, m); const m = new Module(file, module); const was = require.extensions['.js']; require.extensions['.js'] = (mod, f) => { mod.stubbed = true; return was(mod, f) }; m.load(file); require.extensions['.js'] = was; Module._load = load; console.log(m.exports, m.stubbed); console.log(require('./a'))`,
    'a.js': `exports.dep = require('./dep')`,
    'dep.js': `module.exports = 'real'`,
  },
  'require patched, as tracers do': {
    'app.js': `const Module = require('module'); const req = Module.prototype.require; Module.prototype.require = function (id) { const e = req.apply(this, arguments); console.log('required', id, this.id); return e }; require('./a'); Module.prototype.require = req; require('./b')`,
    'a.js': `require('./b'); try { require('gone') } catch (e) { console.log(e.stack) }`,
    'b.js': '',
  },
  '_resolveFilename patched, as aliases do': {
    'app.js': `const Module = require('module'); const resolve = Module._resolveFilename; Module._resolveFilename = function (request, parent, isMain, options) { return resolve.call(this, request.replace(/^@app/, __dirname + '/lib'), parent, isMain, options) }; console.log(require('@app/x'), require.resolve('@app/y')); const paths = Module._nodeModulePaths; Module._nodeModulePaths = (from) => [__dirname + '/extra', ...paths.call(Module, from)]; console.log(require('./late'))`,
    'late.js': `module.exports = require('more')`,
    'extra/more.js': `module.exports = module.paths[0].endsWith('extra')`,
    'lib/x.js': `module.exports = require('@app/y')`,
    'lib/y.js': `module.exports = 'y'`,
  },
  '_findPath and _resolveLookupPaths patched': {
    'app.js': `const Module = require('module'); const find = Module._findPath; Module._findPath = function (r, p, m) { console.log('find', r); return r === 'virtual' ? __dirname + '/a.js' : find.apply(this, arguments) }; console.log(require('virtual'), require('./b')); Module._findPath = find; const paths = Module._resolveLookupPaths; Module._resolveLookupPaths = function (r, p) { const found = paths.apply(this, arguments); return r === 'there' ? [__dirname + '/other', ...found] : found }; console.log(require('there')); console.log(require('./c'))`,
    'a.js': `module.exports = 'a'`,
    'b.js': `module.exports = require('./a')`,
    'c.js': `module.exports = require('there')`,
    'other/there.js': `module.exports = 'there'`,
  },
  '_compile patched': {
    'app.js': `const Module = require('module'); const compile = Module.prototype._compile; Module.prototype._compile = function (content, filename) { console.log('compile', content.length); return compile.call(this, content + ';module.exports.more = 1', filename) }; console.log(require('./a')); Module.prototype._compile = compile; console.log(require('./b'))`,
    'a.js': `exports.a = 1; exports.stack = new Error('a').stack`,
    'b.js': `exports.b = 1; exports.stack = new Error('b').stack`,
  },
  'the wrapper patched': {
    'app.js': `const Module = require('module'); const wrap = Module.wrap; Module.wrap = (s) => wrap('const injected = 7;' + s); console.log(require('./a')); Module.wrap = wrap; console.log(require('./b')); Module.wrapper[0] += 'var more = 1;'; console.log(require('./c'))`,
    'a.js': 'module.exports = injected',
    'b.js': 'module.exports = typeof injected',
    'c.js': 'module.exports = typeof more',
  },
  'another class of modules': {
    'app.js': `const Module = require('module'); class Own extends Module { _compile(c, f) { return super._compile('module.own = 1;' + c, f) } } const m = new Own(__dirname + '/a.js', module); m.load(m.id); console.log(m.exports, module.children.length)`,
    'a.js': 'module.exports = [module.own, module.constructor.name, require("./b")]',
    'b.js': 'module.exports = module.constructor.name',
  },
  'a loader of files in memory': {
    'app.js': `const fs = require('fs'), Module = require('module'); const read = fs.readFileSync; fs.readFileSync = function (f, ...more) { return String(f).endsWith('virtual.js') ? 'module.exports = "virtual"' : read.call(fs, f, ...more) }; Module._cache[__dirname + '/made.js'] = Object.assign(new Module(__dirname + '/made.js'), { loaded: true, exports: 'made' }); console.log(require('./made.js')); const resolve = Module._resolveFilename; Module._resolveFilename = function (r, ...more) { return r === './virtual.js' ? __dirname + '/virtual.js' : resolve.call(Module, r, ...more) }; console.log(require('./virtual.js'))`,
  },
  'a program in another context': {
    'app.js': `const vm = require('vm'), fs = require('fs'); console.log(vm.runInNewContext('typeof require + x', { x: 1 })); const f = vm.compileFunction(fs.readFileSync(__dirname + '/a.js', 'utf8'), ['module', 'require'], { filename: __dirname + '/a.js' }); const m = { exports: {} }; f(m, require); console.log(m.exports, new vm.Script('1 + 1', { cachedData: new vm.Script('1 + 1').createCachedData() }).cachedDataRejected); vm.runInThisContext('(function (r) { console.log(r("./a")) })')(require)`,
    'a.js':
      'module.exports = [typeof module, __filename_safe()]; function __filename_safe() { return new Error("x").stack.split("\\n")[1] }',
  },
};

if (major >= 24)
  programs['hooks of Node.js'] = [
    {
      'app.js': `const { registerHooks } = require('module'); const hooks = registerHooks({ resolve: (s, c, next) => next(s === 'virtual' ? './b.js' : s, c), load: (u, c, next) => { const r = next(u, c); return u.endsWith('a.js') ? { ...r, source: String(r.source).replace('before', 'after') } : r } }); console.log(require('./a'), require('virtual')); hooks.deregister(); delete require.cache[require.resolve('./a')]; console.log(require('./a'))`,
      'a.js': 'module.exports = ["before", require("./b")]',
      'b.js': 'module.exports = new Error("b").stack',
    },
    {},
  ];

if (major >= 22)
  test('a hook that adds a condition finds other files, and only for itself', async (t) => {
    const either = { own: './own.js', default: './default.js' };
    const program = new Program(t, {
      'app.js': `const { registerHooks } = require('module'); const load = require('./load'); console.log(load('pkg')); const hooks = registerHooks({ resolve: (s, c, next) => next(s, { ...c, conditions: ['own', ...c.conditions] }) }); console.log(load('pkg/second')); hooks.deregister(); console.log(load('pkg/second'), load('pkg/third'))`,
      'load.js': 'module.exports = (request) => require(request)',
      'without.js': `const load = require('./load'); console.log(load('pkg'), load('pkg/second'), load('pkg/third'))`,
      'node_modules/pkg/package.json': JSON.stringify({
        exports: { '.': either, './second': either, './third': either },
      }),
      'node_modules/pkg/own.js': `module.exports = 'own'`,
      'node_modules/pkg/default.js': `module.exports = 'default'`,
    });
    const { stdout } = await program.same({ hits: [] });
    t.is(stdout, 'default\nown\nown default\n');
    t.is((await program.same({ main: 'without.js', hits: [] })).stdout, 'default default default\n');
    await program.same({ hits: [] });
  });

for (const [what, program] of Object.entries(programs))
  test(what, async (t) => {
    const [files, options] = Array.isArray(program) ? program : [program, {}];
    await same(t, files, options);
  });

/** Changes by a package preloaded before warmshard: `before` becomes `after`, or `./b` another file. */
const ahead: Record<string, string> = {
  'a handler': `${pirates}\nexports.add((c) => c.replace('before', 'after'), (f) => f.endsWith('app.js'))`,
  // The way of dd-trace.
  'a _compile': `const { prototype } = require('module'); const { _compile } = prototype; prototype._compile = function (c, f) { return _compile.call(this, c.replace('before', 'after'), f) }`,
  'a readFileSync': `const fs = require('fs'); const { readFileSync } = fs; fs.readFileSync = (f, ...more) => { const c = readFileSync(f, ...more); return typeof c === 'string' && f.endsWith('app.js') ? c.replace('before', 'after') : c }`,
  'a wrap': `const Module = require('module'); const { wrap } = Module; Module.wrap = (c) => wrap(c.replace('before', 'after'))`,
  'a wrapper': `require('module').wrapper[0] += 'const before = 1;'`,
  'a _findPath': `const Module = require('module'); const find = Module._findPath; Module._findPath = (r, ...more) => r === './b' ? __filename : find(r, ...more)`,
  'a _resolveLookupPaths': `const Module = require('module'); const lookup = Module._resolveLookupPaths; Module._resolveLookupPaths = (r, p) => r === './b' ? [__dirname + '/other'] : lookup(r, p)`,
  'a _nodeModulePaths': `const Module = require('module'); const paths = Module._nodeModulePaths; Module._nodeModulePaths = (from) => [__dirname + '/other', ...paths(from)]`,
};

for (const [what, hook] of Object.entries(ahead))
  test(`${what} that was replaced before warmshard was preloaded keeps working`, async (t) => {
    const program = new Program(t, {
      'hook.js': hook,
      'app.js': `console.log('before', new Error('x').stack, require('./b'), require('more'))`,
      'b.js': `module.exports = 'b'`,
      'other/b.js': `module.exports = 'other b'`,
      'other/more.js': `module.exports = 'other more'`,
      'node_modules/more.js': `module.exports = 'more'`,
    });
    const plain = await program.plain({ node: ['-r', './hook.js'] });
    const node = ['-r', './hook.js', '-r', register];
    for (const what of ['cold', 'warm', 'warm again']) {
      const { lines, ...ended } = await program.run({ register: false, node });
      t.deepEqual(ended, plain, what);
    }
  });

test('a file that is preloaded before warmshard and changes nothing does not prevent serving', async (t) => {
  const program = new Program(t, {
    'ahead.js': `require('./other')`,
    'other.js': '',
    'app.js': `console.log(require('./a'))`,
    'a.js': 'module.exports = 1',
  });
  const options = { register: false, node: ['-r', './ahead.js', '-r', register] };
  await program.run(options);
  const { lines } = await program.run({ ...options, debug: true });
  for (const file of ['app.js', 'a.js']) t.true(lines.includes(`hit ${program.at(file)}`), lines.join('\n'));
});

test('modules are served beside v8-compile-cache, too', async (t) => {
  const ended = await same(
    t,
    {
      'app.js': `require('./cache'); console.log(require('./a'), require('./a').stack.includes('_compile'))`,
      // The same shape as its patch, by which it is recognised.
      'cache.js': `const Module = require('module'), vm = require('vm'), path = require('path'); const self = { _moduleCompile: (f, c) => vm.runInThisContext(Module.wrap(c), { filename: f }) };
Module.prototype._compile = function (content, filename) { const mod = this; function require(id) { return mod.require(id); } require.resolve = (r) => Module._resolveFilename(r, mod); require.main = process.mainModule; require.extensions = Module._extensions; require.cache = Module._cache;
const compiledWrapper = self._moduleCompile(filename, content); return compiledWrapper.apply(mod.exports, [mod.exports, require, mod, filename, path.dirname(filename)]); };`,
      'a.js': `exports.stack = 'Module._compile'; exports.b = require('./b')`,
      'b.js': `module.exports = typeof require.resolve`,
    },
    { hits: ['app.js', 'a.js', 'b.js'] },
  );
  t.is(ended.code, 0);
});
