// A service failed at night, and the stack traces in its log did not point to its own lines.

import test from 'ava';
import { type Files, major, Program, type SameOptions, same } from '../helpers/program.js';

const programs: Record<string, { files: Files; code?: number; options?: SameOptions }> = {
  'thrown at the top': { files: { 'app.js': `const x = 1;\nthrow new Error('top');` }, code: 1 },
  'thrown in a module that is required': {
    files: {
      'app.js': `require('./lib/a');`,
      'lib/a.js': `exports.b = require('./b');`,
      'lib/b.js': `function deep() {\n  null.x;\n}\ndeep();`,
    },
    code: 1,
  },
  'thrown in a file with Windows line endings': {
    files: { 'app.js': `require('./a')`, 'a.js': `const x = 1;\r\n  null.x;\r\n` },
    code: 1,
  },
  'thrown in a callback': {
    files: { 'app.js': `setTimeout(function later() { throw new TypeError('later'); }, 1);` },
    code: 1,
  },
  'something that is not an error': { files: { 'app.js': `throw { a: 1 };` }, code: 1 },
  'a cause': {
    files: {
      'app.js': `const b = require('./b');\ntry { b(); } catch (e) { throw new Error('outer', { cause: e }); }`,
      'b.js': `module.exports = () => { throw new RangeError('inner'); };`,
    },
    code: 1,
  },
  'an unhandled rejection': {
    files: {
      'app.js': `async function one() { await null; throw new Error('async'); }\nasync function two() { await one(); }\ntwo();`,
    },
    code: 1,
  },
  'a rejection that is caught': {
    files: {
      'app.js': `async function one() { await null; throw new Error('async'); }\none().catch((e) => console.log(e.stack));`,
    },
  },
  'a syntax error': {
    files: {
      'app.js': `try { require('./bad'); } catch (e) { console.log(e.stack); }\nrequire('./bad');`,
      'bad.js': 'let a = ;\n',
    },
    code: 1,
  },
  'a syntax error in the program itself': {
    files: { 'app.js': 'let a = ;\n' },
    code: 1,
    options: { aside: true },
  },
  'a module that is missing': {
    files: {
      'app.js': `require('./a');`,
      'a.js': `try { require('gone') } catch (e) { console.log(e.stack, e.code, e.requireStack); }\nrequire('./none');`,
    },
    code: 1,
  },
  'a path that a package does not export': {
    files: {
      'app.js': `try { require('pkg/x') } catch (e) { console.log(e.stack, e.code) }\nconsole.log(require('pkg'));\nrequire('pkg/lib/x.js');`,
      'node_modules/pkg/package.json': '{"name":"pkg","exports":{".":"./i.js","./x":"./gone.js"}}',
      'node_modules/pkg/i.js': 'module.exports = 5',
      'node_modules/pkg/lib/x.js': '',
    },
    code: 1,
  },
  'a damaged package.json': {
    files: {
      'app.js': `try { require('pkg') } catch (e) { console.log(e.message, e.code) }\nrequire('pkg');`,
      'node_modules/pkg/package.json': '{"name":',
      'node_modules/pkg/index.js': 'module.exports = 5',
    },
    code: 1,
    options: { hits: ['app.js'] },
  },
  'a main that is missing': {
    files: {
      'app.js': `console.log(require('pkg')); require('none');`,
      'node_modules/pkg/package.json': '{"name":"pkg","main":"gone.js"}',
      'node_modules/pkg/index.js': 'module.exports = 5',
      'node_modules/none/package.json': '{"name":"none","main":"gone.js"}',
    },
    code: 1,
  },
  'invalid JSON': {
    files: { 'app.js': `require('./a.json');`, 'a.json': '{"a": }' },
    code: 1,
  },
  'a file that is not an addon': {
    files: { 'app.js': `require('./a.node');`, 'a.node': 'no addon' },
    code: 1,
  },
  'an exit code': { files: { 'app.js': `process.exitCode = 7; console.log('x')` }, code: 7 },
  'an exit in the middle': {
    files: { 'app.js': `require('./b'); console.log('never')`, 'b.js': `console.log('b'); process.exit(3)` },
    code: 3,
  },
  'an exit while exiting': {
    files: {
      'app.js': `process.on('exit', (c) => { console.log('exit', c, process.exitCode); process.exit(9) });`,
    },
    code: 9,
  },
  'an error while exiting': {
    files: { 'app.js': `process.on('exit', () => { throw new Error('at exit') });` },
    code: major >= 20 ? 1 : 7,
  },
  'an abort': {
    files: { 'app.js': `console.log(1); process.kill(process.pid, 'SIGABRT'); setTimeout(() => {}, 1000)` },
    options: { aside: true },
  },
  'a listener for uncaught exceptions': {
    files: {
      'app.js': `process.on('uncaughtException', (e, origin) => { console.log(e.stack, origin); });\nrequire('./b');`,
      'b.js': `throw new Error('b')`,
    },
  },
  captureStackTrace: {
    files: {
      'app.js': `const { who } = require('./b');\nfunction caller() { return who(); }\nconsole.log(caller());`,
      'b.js': `exports.who = function who() { const o = {}; Error.captureStackTrace(o, who); return o.stack; };`,
    },
  },
  prepareStackTrace: {
    files: {
      'app.js': `require('./b')`,
      'b.js': `Error.prepareStackTrace = (e, sites) => sites.map((s) => [s.getFileName(), s.getLineNumber(), s.getColumnNumber(), s.getFunctionName(), s.getTypeName(), s.getMethodName(), s.isToplevel(), s.isConstructor(), s.isEval(), s.isNative(), s.isAsync(), s.toString(), typeof s.getThis(), typeof s.getFunction()].join('|')).join('\\n');\nconsole.log(new Error('x').stack);`,
    },
  },
  'an endless recursion': {
    files: {
      'app.js': `let n = 0; function f() { n++; f(); }\ntry { f() } catch (e) { console.log(e.message, n > 1000) }`,
    },
  },
  'an error in the first line, whose columns the wrapper shifts': {
    files: { 'app.js': `throw new Error('first');` },
    code: 1,
  },
  'an error in a source with non-ASCII characters': {
    files: {
      'app.js': `require('./ü'); require('./☃');`,
      'ü.js': `const é = 1; try { é() } catch (e) { console.log(e.stack) }`,
      '☃.js': `const s = '☃☃'; s();`,
    },
    code: 1,
  },
  'a warning of its own': {
    files: {
      'app.js': `process.emitWarning('mind', 'OwnWarning'); process.emitWarning('old', 'DeprecationWarning', 'DEP1'); new Buffer(1)`,
    },
  },
  'assert, which reads the source': {
    files: { 'app.js': `const assert = require('assert');\nconst a = 1;\nassert(a === 2)` },
    code: 1,
  },
};

for (const [what, { files, code, options }] of Object.entries(programs))
  test(what, async (t) => {
    const ended = await same(t, files, options);
    if (code !== undefined) t.is(ended.code, code);
  });

for (const flag of [
  '--trace-uncaught',
  '--trace-warnings',
  '--stack-trace-limit=3',
  '--trace-deprecation',
  '--unhandled-rejections=warn',
])
  test(`with ${flag}`, async (t) => {
    const files = {
      'app.js': `require('./b'); Promise.reject(new Error('nobody')); setTimeout(() => { throw new Error('late') }, 5)`,
      'b.js': `process.emitWarning('mind'); process.emitWarning('old', 'DeprecationWarning');`,
    };
    await same(t, files, { node: [flag] });
  });

test('a frozen loader of one program does not show in the stack traces of the next', async (t) => {
  const freeze = `const Module = require('module'); for (const it of [Module, Module.prototype]) Object.freeze(it);`;
  const files = {
    'frozen.js': `${freeze} require('./a')`,
    'app.js': `require('./a')`,
    'a.js': `console.log(new Error('a').stack)`,
  };
  const program = new Program(t, files);
  for (const main of ['frozen.js', 'app.js']) {
    const options = { main, small: true };
    const expected = await program.plain(options);
    for (const what of ['first', 'second']) await program.one(`${main}, ${what}`, expected, options);
  }
});
