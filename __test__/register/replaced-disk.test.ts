// A test mocked the file system, but `require` returned what was really there. Another program had replaced functions of the
// loader, and one of the replacements was undone after a second.

import test from 'ava';
import { type Files, Program, type SameOptions, same } from '../helpers/program.js';

const rest: Files = {
  'warm-up.js': '',
  'a.js': `module.exports = ['a', require('./sub/b')]`,
  'sub/b.js': `module.exports = 'b'`,
  'node_modules/plain/index.js': `module.exports = 'plain'`,
  'node_modules/exporting/package.json': '{"exports":"./main.js"}',
  'node_modules/exporting/main.js': `module.exports = 'exporting'`,
  // The way of the package mock-fs.
  'readfilecontext.js': '',
  'mock.js': `require('./readfilecontext.js'); const fs = require('fs'), path = require('path'), binding = process.binding('fs'), stream = fs.createWriteStream;
for (const name of ['lstat', 'readFileUtf8']) {
  const was = binding[name];
  binding[name] = (file, ...more) => {
    const mocked = binding._mockedBinding;
    if (mocked === undefined || typeof file !== 'string') return was.call(binding, file, ...more);
    const text = mocked[path.basename(file)];
    if (text === undefined) throw Object.assign(new Error('ENOENT ' + name), { code: 'ENOENT' });
    return name === 'lstat' ? was.call(binding, file, ...more) : text;
  };
}
exports.mock = (files) => {
  binding._mockedBinding = files;
  fs.createWriteStream = (...given) => { const made = stream(...given); if (binding._mockedBinding) made._writev = undefined; return made };
};
exports.restore = () => { delete binding._mockedBinding; fs.createWriteStream = stream };`,
};

const asking = `for (const request of ['./a', 'plain', 'exporting', './gone']) try { told.push(require(request)) } catch (e) { told.push(e.code ?? e) }`;

const programs: Record<string, [main: string, options?: SameOptions]> = {
  'a mocked disk, and the real one again': [
    `const told = []; const { mock, restore } = require('./mock'); mock({}); ${asking}; restore(); ${asking}; console.log(told)`,
    { node: ['--no-deprecation'] },
  ],
  'other texts on a mocked disk': [
    `const told = []; const { mock, restore } = require('./mock'); const folders = Object.fromEntries(__dirname.split('/').map((name) => [name, ''])); mock({ ...folders, 'a.js': 'module.exports = "mocked"' }); ${asking}; restore(); ${asking}; console.log(told)`,
    { node: ['--no-deprecation'] },
  ],
  'a createWriteStream that mocks nothing': [
    `const fs = require('fs'), told = []; fs.createWriteStream = () => {}; ${asking}; console.log(told)`,
    { hits: ['app.js', 'a.js', 'sub/b.js'] },
  ],
  'a realpathSync that is watched': [
    `const fs = require('fs'), told = []; const real = fs.realpathSync; fs.realpathSync = (path, ...more) => { told.push(path); return real(path, ...more) }; ${asking}; fs.realpathSync = real; ${asking}; console.log(told)`,
  ],
  'a realpathSync that leads elsewhere': [
    `require('./warm-up'); const fs = require('fs'), told = []; const real = fs.realpathSync; fs.realpathSync = (path, ...more) => real(path.replace(/b\\.js$/, '../warm-up.js'), ...more); ${asking}; console.log(told, Object.keys(require.cache).length)`,
  ],
  'a _resolveFilename and a _resolveLookupPaths that are watched': [
    `require('./warm-up'); const told = [], Module = module.constructor; for (const name of ['_resolveFilename', '_resolveLookupPaths']) { const was = Module[name]; Module[name] = function (request) { console.log(name, request); return was.apply(this, arguments) } } ${asking}; console.log(told)`,
  ],
};

for (const [what, [main, options]] of Object.entries(programs))
  test(what, async (t) => {
    await same(t, { ...rest, 'app.js': main }, options);
  });

test('functions that a program has put into the loader stay when modules are recorded', async (t) => {
  const main = `require('./warm-up'); const Module = require('module'); const find = Module._findPath; const own = (...asked) => asked[0] === 'virtual' ? __dirname + '/a.js' : find(...asked); Module._findPath = own; console.log(require('exporting'), require('warmshard/register').flush() > 0, Module._findPath === own, require('virtual'))`;
  const program = new Program(t, {
    ...rest,
    'app.js': main,
    'node_modules/warmshard/register.js': `exports.flush = () => Object.getOwnPropertySymbols(module.constructor).includes(Symbol.for('warmshard/register')) ? module.constructor[Symbol.for('warmshard/register')].flush() : 1`,
  });
  const { stdout } = await program.plain();
  t.is(stdout, `exporting true true [ 'a', 'b' ]\n`);
  t.is((await program.run()).stdout, stdout);
});
