// Before each module the loader looked whether hooks were registered, even if no program had touched `registerHooks`; that took
// longer than everything else it does for a module. But a program that does use hooks must be noticed, however early.

import test from 'ava';
import { type Files, Program, register, same } from '../helpers/program.js';

const hooks = typeof (require('node:module') as { registerHooks?: unknown }).registerHooks === 'function';
const hooked = hooks ? test : test.skip;

/** Prints how often the limit of stack traces is set while modules are loaded: a look for hooks sets it twice. */
const counting = `let [limit, sets] = [Error.stackTraceLimit, 0];
Object.defineProperty(Error, 'stackTraceLimit', { configurable: true, get: () => limit, set(n) { sets++; limit = n; } });
require('./a');
console.log(sets)`;

test('the loader does not look for hooks if no program has asked for them', async (t) => {
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
  ['registerHooks is read first', 'app.js'],
  ['registerHooks is read before any file is required', 'c.js'],
] as const)
  hooked(`hooks can change modules: ${what}`, async (t) => {
    const { stdout } = await same(t, files, { main, hits: [main, 'a.js'] });
    t.is(stdout, 'after\n');
  });

hooked('hooks can change modules if registerHooks was read before warmshard was preloaded', async (t) => {
  const program = new Program(t, files);
  for (const what of ['cold', 'warm', 'warm again']) {
    const { stdout, stderr } = await program.run({
      register: false,
      node: ['-r', './ahead.js', '-r', register],
    });
    t.deepEqual([stdout, stderr], ['after\n', ''], what);
  }
});
