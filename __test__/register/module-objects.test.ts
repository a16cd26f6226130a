// A plugin loader walked `module.children` and `require.cache`, and found foreign modules there.

import test from 'ava';
import { type Files, major, type SameOptions, same } from '../helpers/program.js';

const programs: Record<string, Files | [Files, SameOptions]> = {
  'require.cache, module.children and module.parent': {
    'app.js': `const a = require('./a'); require('./b');
const tell = (m, d = 0) => console.log(' '.repeat(d), m.id, m.filename, m.loaded, m.path, Object.keys(m), m.parent && m.parent.id, m.children.forEach((c) => tell(c, d + 1)));
tell(module); console.log(Object.keys(require.cache), require.main === module, process.mainModule === module, module.paths, module.isPreloading);`,
    'a.js': `exports.main = require.main.filename; require('./c')`,
    'b.js': `require('./c'); console.log(module.parent.filename, require.main === module)`,
    'c.js': '',
  },
  'a module that prints itself': {
    'app.js': `require('./a')`,
    'a.js': `console.log(module); console.log(require.name, Object.keys(require))`,
  },
  'the properties of require': {
    'app.js': `require('./a')`,
    'a.js': `console.log(Object.keys(require), typeof require.resolve, Object.keys(require.resolve), require.name, require.length, String(require), String(require.resolve), require.main === process.mainModule, require.cache === require('module')._cache, require.extensions === require('module')._extensions, Object.keys(require.extensions));
console.log(require.resolve('./b'), require.resolve.paths('x'), require.resolve.paths('./x'), require.resolve('./b', { paths: ['..', __dirname + '/sub'] }), require.resolve('fs'), require.resolve.paths('fs'));
try { require.resolve('gone') } catch (e) { console.log(e.stack) }
try { require(5) } catch (e) { console.log(e.stack) } try { require('') } catch (e) { console.log(e.stack) }
require.resolve = 7; console.log(require.resolve, Object.getOwnPropertyDescriptors(require).cache.writable)`,
    'b.js': '',
    'sub/b.js': '',
  },
  'the arguments of a module': {
    'app.js': `require('./a')`,
    'a.js': `console.log(arguments.length, this === exports, module.exports === exports, __filename, __dirname, String(arguments.callee), arguments.callee.name, arguments.callee.length, new.target);
function f(a, /* kept */ b) { return a + b } console.log(String(f), String(class X { y() {} }), f.toString().length); return;`,
  },
  'strict code': {
    'app.js': `'use strict'; try { undeclared = 1 } catch (e) { console.log(e.message) } console.log(this === exports, (function () { return this })())`,
  },
  'globals of sloppy code': {
    'app.js': `x = 1; var y = 2; function z() {} require('./b'); console.log(typeof global.y, typeof global.z)`,
    'b.js': `console.log(x, typeof y, global.x)`,
  },
  'a module deleted from the cache and required again': {
    'app.js': `const one = require('./a'); const file = require.resolve('./a'); delete require.cache[file];
const two = require('./a'); console.log(one === two, one.n, two.n, module.children.length, module.children.map((c) => c.id));
require.cache[file] = { exports: 'fake', loaded: true }; console.log(require('./a'));`,
    'a.js': `exports.n = process.n = (process.n || 0) + 1`,
  },
  'a file that changes between two loads in one process': {
    'app.js': `const fs = require('fs'); fs.writeFileSync(__dirname + '/gen.js', 'module.exports = 1');
console.log(require('./gen')); fs.writeFileSync(__dirname + '/gen.js', 'module.exports = 2'); delete require.cache[require.resolve('./gen')]; console.log(require('./gen'));
fs.unlinkSync(__dirname + '/gen.js'); delete require.cache[__dirname + '/gen.js']; try { require('./gen') } catch (e) { console.log(e.message) }`,
  },
  'a file that was not there the first time': {
    'app.js': `const fs = require('fs'); fs.rmSync(__dirname + '/late.js', { force: true }); try { require('./late') } catch (e) { console.log(e.code) }
fs.writeFileSync(__dirname + '/late.js', 'module.exports = 1'); try { console.log(require('./late')) } catch (e) { console.log(e.code) } setTimeout(() => { console.log(require('./late')); fs.unlinkSync(__dirname + '/late.js') }, 5)`,
  },
  'circular requires': {
    'app.js': `const a = require('./a'); console.log(a.done, a.b.done, a.b.sawA)`,
    'a.js': `exports.done = false; exports.b = require('./b'); exports.done = true;`,
    'b.js': `const a = require('./a'); exports.sawA = a.done; a.unknown; exports.done = true`,
  },
  'a module that throws and is required again': {
    'app.js': `for (let i = 0; i < 2; i++) try { require('./a') } catch (e) { console.log(e.stack, require.cache[require.resolve('./a')], module.children.length) }`,
    'a.js': `process.n = (process.n || 0) + 1; require('./b'); throw new Error('n' + process.n)`,
    'b.js': '',
  },
  'createRequire, from a file and from a folder': {
    'app.js': `const { createRequire } = require('module'); const r = createRequire(__dirname + '/sub/x.js'); console.log(r('./y'), r.resolve('./y'), r.resolve.paths('z'), Object.keys(r));
console.log(createRequire(__dirname + '/sub/')('./y'), createRequire(require('url').pathToFileURL(__filename))('./sub/y')); try { r('./gone') } catch (e) { console.log(e.stack) }`,
    'sub/y.js': 'module.exports = module.parent && module.parent.id',
  },
  'module.require, and a module that the program makes itself': {
    'app.js': `const Module = require('module'); console.log(module.require('./a')); const m = new Module('made', module); m.filename = __dirname + '/made.js'; m.paths = Module._nodeModulePaths(__dirname);
m._compile('module.exports = [require("./a"), __filename, new Error("x").stack.split("\\\\n")[1]]', m.filename); console.log(m.exports, m.loaded, module.children.map((c) => c.id));
const n = new Module(__dirname + '/a.js', module); n.load(__dirname + '/a.js'); console.log(n.exports, n.loaded); console.log(Module._load('./a', module, false));`,
    'a.js': 'module.exports = module.id',
  },
  'module.paths changed, NODE_PATH set': [
    {
      'app.js': `module.paths.push(__dirname + '/more'); console.log(require('only'), require('env')); module.paths.unshift(__dirname + '/first'); try { console.log(require('both')) } catch (e) { console.log(e.message) } require('./sub/x')`,
      'sub/x.js': `module.paths = []; try { require('both') } catch (e) { console.log(e.message) }`,
      'more/only.js': 'module.exports = "only"',
      'env/env.js': 'module.exports = "env"',
      'first/both.js': 'module.exports = "first"',
      'node_modules/both.js': 'module.exports = "node_modules"',
    },
    { env: { NODE_PATH: './env' } },
  ],
  'extensions of its own': {
    'app.js': `require.extensions['.txt'] = (m, f) => { m.exports = require('fs').readFileSync(f, 'utf8') + new Error().stack.split('\\n')[2] }; console.log(require('./a.txt'), require('./a'), require('./b.x.y'));
require.extensions['.x.y'] = (m) => { m.exports = 'xy' }; delete require.cache[require.resolve('./b.x.y')]; console.log(require('./b.x.y'), Object.keys(require.extensions)); delete require.extensions['.json']; console.log(require('./c.json').d)`,
    'a.txt': 'text',
    'b.x.y': 'module.exports = "plain"',
    'c.json': 'module.exports = { d: 4 }',
  },
  'a package of every kind': {
    'app.js': `for (const r of ['main', 'main/lib/x', 'main/lib/x.js', 'map', 'map/feature', 'map/dir/a', '@s/p', '@s/p/x', 'folder', 'folder/', 'deep', '#own', '#star/a', 'self', 'self/sub', './', '.', './sub', './sub/', './sub/..', 'file', 'json'])
  try { console.log(r, require(r), require.resolve(r)) } catch (e) { console.log(r, e.code, e.message) }`,
    'index.js': 'module.exports = "own index"',
    'package.json':
      '{"name":"self","exports":{".":"./index.js","./sub":"./sub/index.js"},"imports":{"#own":"./sub/index.js","#star/*":"./sub/*.js"}}',
    'sub/index.js': 'module.exports = "sub"',
    'sub/a.js': 'module.exports = "sub a"',
    'node_modules/main/package.json': '{"main":"./lib"}',
    'node_modules/main/lib/index.js': 'module.exports = "main"',
    'node_modules/main/lib/x.js': 'module.exports = "x"',
    'node_modules/map/package.json':
      '{"exports":{".":{"import":"./i.mjs","require":"./r.js"},"./feature":{"never":"./n.js","node":"./f.cjs"},"./dir/*":"./d/*.js"}}',
    'node_modules/map/r.js': 'module.exports = "required"',
    'node_modules/map/f.cjs': 'module.exports = "feature"',
    'node_modules/map/d/a.js': 'module.exports = "a of dir"',
    'node_modules/@s/p/index.js': 'module.exports = "scoped"',
    'node_modules/@s/p/x/index.js': 'module.exports = "scoped x"',
    'node_modules/folder/index.js': 'module.exports = "folder"',
    'node_modules/folder.js': 'module.exports = "beside"',
    'node_modules/file.js': 'module.exports = "file"',
    'node_modules/json.json': '{"json":true}',
    'node_modules/deep/package.json': '{"main":"gone"}',
    'node_modules/deep/index.js': 'module.exports = "index instead"',
  },
  'import() in CommonJS': {
    'app.js': `const f = new Function('x', 'return import(x)'); (async () => { for (const go of [() => import('./a.mjs'), () => import('./b.js'), () => import('gone'), () => import('fs').then((m) => typeof m.readFileSync), () => f('./a.mjs'), () => eval('import("./a.mjs")'), () => import('./c.json', { with: { type: 'json' } })]) await go().then((m) => console.log(m), (e) => console.log(e.code || e.message)) })()`,
    'a.mjs': `import b from './b.js'; export default 'a'; export const cjs = b; export const u = import.meta.url`,
    'b.js': `module.exports = 'b' + module.children.length`,
    'c.json': '{"c":1}',
  },
  'an ES module that uses CommonJS': [
    {
      'app.mjs': `import b, { named } from './b.js'; import { createRequire } from 'module'; const require = createRequire(import.meta.url); console.log(b, named, require('./b.js') === b, require('./c').stack); console.log(Object.keys(require.cache)); await import('./d.cjs');`,
      'b.js': `exports.named = 1; exports.parent = typeof module.parent; exports.c = require('./c').v; exports.main = require.main`,
      'c.js': `exports.v = 2; exports.stack = new Error('c').stack`,
      'd.cjs': `console.log(module.id, require.main, module.parent, module.paths.length, new Error('x').stack)`,
    },
    { main: 'app.mjs', hits: [] },
  ],
  'require of an ES module': {
    'app.js': `try { console.log(require('./a.mjs')) } catch (e) { console.log(e.code, e.message) } try { console.log(require('./m/x.js')) } catch (e) { console.log(e.code, e.message) } try { console.log(require('./detect')) } catch (e) { console.log(e.name) }`,
    'a.mjs': `export const x = 1; export default 'd'`,
    'm/package.json': '{"type":"module"}',
    'm/x.js': 'export const y = import.meta.url',
    'detect.js': 'export const z = 1; import "fs"',
  },
  'a main module in ESM syntax without a type': [
    { 'app.js': `import fs from 'fs'; console.log(typeof fs.statSync, import.meta.url, typeof require)` },
    { aside: true },
  ],
  'CommonJS with a type in package.json': {
    'package.json': '{"type":"commonjs"}',
    'app.js': `require('./a'); console.log(typeof module)`,
    'a.js': 'console.log(__filename)',
  },
  'from standard input, and --eval': [
    { 'a.js': 'console.log(__filename, module.parent.id, module.parent.filename, new Error("x").stack)' },
    {
      main: '',
      node: [
        '-e',
        'require("./a"); console.log(module.id, __filename, module.children.length, module.paths)',
      ],
      hits: ['a.js'],
    },
  ],
  'the program named without extension, or as a folder': [
    { 'app/index.js': 'console.log(__filename, require.main.id, process.argv.length, module.children)' },
    { main: 'app', hits: ['app/index.js'] },
  ],
};

for (const [what, program] of Object.entries(programs))
  test(what, async (t) => {
    const [files, options] = Array.isArray(program) ? program : [program, {}];
    // On Node.js 20, modules with import() are left to Node.js.
    const importing = major === 20 && /\bimport\s*\(/.test(String(files['app.js']));
    await same(t, files, importing ? { ...options, hits: [] } : options);
  });

test('import() in strings and comments only', async (t) => {
  await same(t, { 'app.js': "console.log('import(x)', `import(y)`, /import(z)/.source /* import(z) */)" });
});

test('import() in code compiled from strings', async (t) => {
  const files = {
    'app.js': `for (const name of ['eval', 'function', 'indirect'])
      require('./' + name)('im' + 'port("node:fs")').then((fs) => console.log(name, typeof fs.readFileSync));`,
    'eval.js': 'module.exports = (code) => eval(code);',
    'function.js': "module.exports = (code) => new Function('return ' + code)();",
    'indirect.js': 'module.exports = (code) => (0, eval)(code);',
  };
  await same(t, files, { hits: major === 20 ? ['app.js'] : Object.keys(files) });
});
