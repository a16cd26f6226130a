// Modules that print their own function, that close the wrapper's function or that have no code behaved differently once they
// were served as bytecode of a function.

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { type Files, major, Program, register, same } from '../helpers/program.js';

const root = join(dirname(register), '..');
const shim = readdirSync(root).find(
  (name) => name.startsWith('warmshard-fast.') && name.endsWith(`.${process.versions.modules}.node`),
);
const withShim = shim === undefined ? test.skip : test;
const SCRIPTS = { WARMSHARD_FAST: '0' };
const FUNCTIONS = { WARMSHARD_FAST: '1' };

/** On Node.js 20, every module that may contain an `import()` is left to Node.js. */
const imports: Files =
  major < 22
    ? {}
    : {
        'imports.js': `import('./it.mjs').then((it) => console.log(it.default));
eval("import('./it.mjs')").then((it) => console.log('eval', it.default));
new Function("return import('./it.mjs')")().then((it) => console.log('made', it.default));
import('./none.mjs').catch((error) => console.log(error.code, error.message));`,
        'it.mjs': 'export default 7;',
      };

const MODULES: Files = {
  'itself.js': `console.log(arguments.callee.toString(), arguments.callee.name, arguments.callee.length, arguments.length);
console.log(Object.getOwnPropertyNames(arguments.callee), arguments.callee.caller === null);`,
  'strict.js': `'use strict';\ntry { arguments.callee } catch (error) { console.log(error.message) }\ntry { undeclared = 1 } catch (error) { console.log(error.stack.split('\\n', 2)) }
console.log((function () { return this })(), this === module.exports);`,
  'bang.js': '#!/usr/bin/env node\nconsole.log(new Error("b").stack.split("\\n")[1]);',
  'only-bang.js': '#!/usr/bin/env node',
  'nothing.js': '',
  'comment.js': '// nothing',
  'open.js': 'console.log(1) /* */ //',
  'wide.js': `// \u{1f600}\nconsole.log('\u{1f600}\u2028', '\\u{1f600}'.length, new Error('w').stack.split('\\n')[1]);`,
  'latin.js': `console.log('\u00fc\u00df', '\u00fc'.length); const \u00e9 = 1; console.log(\u00e9);`,
  'marked.js': '\ufeffconsole.log(new Error("m").stack.split("\\n")[1]);',
  'returns.js': 'console.log("before"); return; console.log("behind");',
  'lazy.js': `exports.f = function named() { return named.toString() + (() => 7)() };
class A { #x = 1; get x() { return this.#x } static { exports.A = A } }\nconsole.log(exports.f(), new exports.A().x, String(A));`,
  'first.js': 'console.log(new Error("1").stack.split("\\n")[1]); console.log(function(){}.toString());',
  'async.js': `(async () => { for await (const x of [1, Promise.resolve(2)]) console.log(x); throw new Error('later') })().catch((e) => console.log(e.stack.split('\\n')[1]));`,
};

/** Files that are not valid modules. */
const BROKEN: Files = {
  'ends.js': '}); (function () {',
  'ends-too.js': '}\nconsole.log(1);\n{',
  'syntax.js': '\n\nconst a = 1;\nlet a = 2;',
  'esm.js': 'export default 1; await 1',
  'half.js': 'function (',
  'bytes.js': 'const a = "',
  'reserved.js': "'use strict'; with (a) {}",
  'again.js': 'let require = 1;',
};

test('every kind of module behaves the same', async (t) => {
  const files: Files = { ...MODULES, ...imports };
  const names = Object.keys(files).filter((name) => name.endsWith('.js'));
  const app = names.map((name) => `console.log(${JSON.stringify(name)}); require('./${name}');`).join('\n');
  const hits = [
    'app.js',
    'itself.js',
    'strict.js',
    'bang.js',
    'wide.js',
    'latin.js',
    'returns.js',
    'lazy.js',
  ];
  const { stdout } = await same(t, { ...files, 'app.js': app }, { hits });
  t.regex(stdout, /^function \(exports, require, module, __filename, __dirname\) \{$/m);
});

test('invalid modules throw the same errors', async (t) => {
  const told = Object.keys(BROKEN).map(
    (name) =>
      `try { require('./${name}'); console.log('ran') } catch (error) { console.log(error.name, error.stack) }`,
  );
  await same(t, { ...BROKEN, 'app.js': told.join('\n') });
  for (const name of Object.keys(BROKEN)) await same(t, BROKEN, { main: name, aside: true });
});

withShim('bytecode of scripts and of functions is kept in one shard and never confused', async (t) => {
  const program = new Program(t, {
    'app.js': `console.log(require('./a')(1))`,
    'a.js': 'module.exports = (x) => x + 1',
  });
  const said = async (env: Record<string, string>) => {
    const { stdout, lines } = await program.run({ env, debug: true });
    t.is(stdout, '2\n');
    return lines.filter((line) => /^(hit|miss|rejected) /.test(line)).map((line) => line.split(' ', 1)[0]);
  };
  t.deepEqual(await said(SCRIPTS), ['miss', 'miss']);
  t.deepEqual(await said(SCRIPTS), ['hit', 'hit']);
  t.deepEqual(await said(FUNCTIONS), ['miss', 'miss'], 'there are no functions yet');
  for (let i = 0; i < 2; i++)
    for (const env of [FUNCTIONS, SCRIPTS]) t.deepEqual(await said(env), ['hit', 'hit']);
  // After a change, each kind notices it for itself.
  program.write({ 'a.js': 'module.exports = (x) => 1 + x' });
  for (const env of [FUNCTIONS, SCRIPTS]) {
    t.deepEqual(await said(env), ['hit', 'miss']);
    t.deepEqual(await said(env), ['hit', 'hit']);
  }
});

withShim('without a usable shim, modules are compiled as scripts', async (t) => {
  const program = new Program(t, { 'app.js': 'console.log(1)' });
  const dist = program.at('package', 'dist');
  cpSync(dirname(register), dist, { recursive: true });
  for (const name of readdirSync(root).filter((name) => /^warmshard\..*\.node$/.test(name)))
    copyFileSync(join(root, name), program.at('package', name));
  const runs = async () => {
    const node = ['-r', join(dist, 'register.cjs')];
    const { stdout, stderr, lines } = await program.run({ register: false, node, debug: true });
    t.is(stdout + stderr, '1\n');
    return lines.map((line) => line.split(' ', 1)[0]);
  };
  t.is((await runs())[0], 'miss');
  t.is((await runs())[0], 'hit');
  program.write({ [`package/${shim}`]: 'not a binary' });
  t.is((await runs())[0], 'hit');
  copyFileSync(join(root, shim as string), program.at('package', shim as string));
  t.is((await runs())[0], process.env.WARMSHARD_FAST === 'eager' ? 'hit' : 'miss');
});

withShim('the shim hands over bytecode by numbers, a different one for each module', async (t) => {
  const program = new Program(t, {
    'app.js': `console.log(require('./a')); require(${JSON.stringify(register)}).flush(); console.log(JSON.stringify(given))`,
    'a.js': `module.exports = [1, 2].map((x) => x * 2).join()`,
    'watch.js': `const { dlopen } = process; globalThis.given = [];
process.dlopen = (module, file) => { dlopen(module, file);
  const { offerCompiler } = module.exports;
  if (offerCompiler) module.exports.offerCompiler = (target, ...rest) => {
    const why = offerCompiler(target, ...rest); const { code } = target;
    target.code = (body) => { const number = code(body); given.push(number); return number; };
    return why; }; };`,
  });
  const node = ['-r', program.at('watch.js'), '-r', register];
  const run = async () => {
    const { stdout, lines } = await program.run({ register: false, env: FUNCTIONS, node, debug: true });
    const [told, given = ''] = stdout.split('\n');
    t.is(told, '2,4');
    return { given: JSON.parse(given) as unknown[], hits: lines.filter((line) => line.startsWith('hit ')) };
  };
  const { given } = await run();
  t.true(given.length >= 2);
  t.true(given.every((number) => Number.isInteger(number) && Number(number) > 0));
  t.is(new Set(given).size, given.length);
  t.deepEqual((await run()).hits, [`hit ${program.at('app.js')}`, `hit ${program.at('a.js')}`]);
});

test('functions whose bytecode V8 has flushed still work', async (t) => {
  const files = {
    'app.js': `const lib = require('./lib'); console.log(lib.a(1));
if (globalThis.gc) for (let i = 0; i < 20; i++) gc();
setTimeout(() => { if (globalThis.gc) for (let i = 0; i < 20; i++) gc(); console.log(lib.b(2), require('./late').c(lib)); }, 30);`,
    'lib.js': 'exports.a = (x) => x + 1; exports.b = (x) => { const y = (z) => z * 2; return y(x) };',
    'late.js': 'exports.c = (lib) => lib.a(3) + lib.b(4);',
  };
  for (const node of [['--expose-gc'], ['--expose-gc', '--stress-flush-code'], ['--no-flush-bytecode']]) {
    // Not every version of V8 has every flag.
    if (spawnSync(process.execPath, [...node, '-e', '0']).status !== 0) continue;
    await same(t, files, { node, hits: ['app.js', 'lib.js', 'late.js'] });
  }
});

test('a module whose bytecode V8 refuses is compiled', async (t) => {
  const files = {
    'app.js': `if (process.argv[2]) require('v8').setFlagsFromString('--no-opt'); console.log(require('./lib').a(1));`,
    'lib.js': `exports.a = (x) => x + new Error('l').stack.split('\\n')[1];`,
  };
  const program = new Program(t, files);
  const { stdout } = await program.same({ hits: ['app.js', 'lib.js'] });
  for (let i = 0; i < 2; i++) {
    const told = await program.run({ args: ['x'], debug: true });
    t.is(told.stdout + told.stderr, stdout);
    t.true(
      told.lines.includes(`rejected ${program.at('lib.js')}: V8 refuses its bytecode`),
      told.lines.join(),
    );
  }
});

test('threads may be terminated while they load modules', async (t) => {
  const loads = Array.from({ length: 40 }, (_, i) => `require('./m${i}')`).join('\n');
  const files: Files = {
    'app.js': `const { Worker } = require('worker_threads');
const run = (end) => new Promise((done) => {
  const worker = new Worker(__dirname + '/work.js');
  worker.on('message', (n) => { if (n === end) worker.terminate(); });
  worker.on('error', (error) => { console.log(error); done(); }).on('exit', done);
});
require('./work');
(async () => {
  await Promise.all([run(-1), run(-1), run(-1)]);
  for (let i = 0; i < 10; i++) await run(i * 4);
  console.log('done');
})();`,
    'work.js': `globalThis.say = require('worker_threads').parentPort?.postMessage.bind(require('worker_threads').parentPort) ?? (() => {});\n${loads}`,
  };
  for (let i = 0; i < 40; i++)
    files[`m${i}.js`] =
      `say(${i}); exports.f = () => ${i};\nif (exports.f() !== ${i}) throw new Error('other');`;
  await same(t, files, { hits: ['app.js', 'work.js', 'm0.js', 'm39.js'] });
});

test('other contexts can require modules, and compile code of their own', async (t) => {
  const files = {
    'app.js': `const vm = require('vm');
const inside = vm.createContext({ require, console });
vm.runInContext("console.log(require('./lib').of([]), require('./lib').says())", inside);
console.log(vm.runInContext('(x) => x instanceof Array', inside)([]), require('./lib').of([]));
console.log(vm.runInNewContext('require("./lib").says.toString()', { require }));`,
    'lib.js': `exports.of = (x) => x instanceof Array; exports.says = () => new Error('s').stack.split('\\n').slice(0, 2).join();`,
  };
  await same(t, files, { hits: ['app.js', 'lib.js'] });
});

test('many similar modules never get each other\u2019s code', async (t) => {
  const files: Files = {
    'app.js': 'let sum = 0; for (let i = 100; i < 400; i++) sum += require("./m" + i)(); console.log(sum);',
  };
  // They have the same length, which is all that V8 compares of a source.
  for (let i = 100; i < 400; i++)
    files[`m${i}.js`] =
      `module.exports = () => { if (!__filename.includes(${i})) throw new Error("other"); return ${i} };`;
  const { stdout } = await same(t, files, { hits: ['app.js', 'm100.js', 'm399.js'] });
  t.is(stdout, `${(300 * 499) / 2}\n`);
});
