// Each module was asked for by name whether hooks are registered, though nobody had asked for `registerHooks`: that took
// longer than all else that a module costs us. And whoever did ask for it must be noticed, however early.

import test from 'ava';
import { type Files, Program, register, same } from '../helpers/program.js';

const hooks = typeof (require('node:module') as { registerHooks?: unknown }).registerHooks === 'function';
const hooked = hooks ? test : test.skip;

/** Tells how often the limit of stack traces was set while modules were loaded: a look sets it twice. */
const counting = `let [limit, sets] = [Error.stackTraceLimit, 0];
Object.defineProperty(Error, 'stackTraceLimit', { configurable: true, get: () => limit, set(n) { sets++; limit = n; } });
require('./a');
console.log(sets)`;

test('nobody looks for hooks where nobody has asked for them', async (t) => {
  const { stdout } = await same(t, { 'app.js': counting, 'a.js': `require('./b')`, 'b.js': '' });
  t.is(stdout, '0\n');
});

const change = `{ load: (url, context, next) => { const loaded = next(url, context); return url.endsWith('b.js') ? { ...loaded, source: String(loaded.source).replace('before', 'after') } : loaded; } }`;

const files: Files = {
  'ahead.js': `globalThis.late = require('module').registerHooks`,
  'app.js': `require('./a'); (globalThis.late ?? require('module').registerHooks)(${change}); console.log(require('./b'))`,
  'a.js': '',
  'b.js': `module.exports = 'before'`,
  'c.js': `const { registerHooks } = require('module'); require('./a'); registerHooks(${change}); console.log(require('./b'))`,
};

for (const [what, main] of [
  ['asked for in time', 'app.js'],
  ['asked for before any file is', 'c.js'],
] as const)
  hooked(`hooks change modules: ${what}`, async (t) => {
    const { stdout } = await same(t, files, { main, hits: [main, 'a.js'] });
    t.is(stdout, 'after\n');
  });

hooked('hooks of one who was preloaded ahead of us change modules', async (t) => {
  const program = new Program(t, files);
  for (const what of ['cold', 'warm', 'warm again']) {
    const { stdout, stderr } = await program.run({
      register: false,
      node: ['-r', './ahead.js', '-r', register],
    });
    t.deepEqual([stdout, stderr], ['after\n', ''], what);
  }
});
