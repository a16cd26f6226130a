// A test mocked `setTimeout`, and the cache used the mock for its own timer, so that `require` threw. The cache must not use
// globals that a program has replaced or whose calls it counts.

import test from 'ava';
import { type Files, same } from '../helpers/program.js';

const rest: Files = {
  'a.js': `module.exports = require('./b') + 1`,
  'b.js': 'module.exports = 1',
  'c.js': 'exports.c = typeof process',
};

const asking = `console.log(require('./a')); try { require('./nowhere') } catch (e) { console.log(e.code) }`;

const programs: Record<string, string> = {
  'a setTimeout that calls at once': `const real = setTimeout; let calls = 0; globalThis.setTimeout = (f) => { calls++; f() }; ${asking}; globalThis.setTimeout = real; console.log(calls, require('./c'))`,
  'timers whose calls are counted': `const calls = []; for (const name of ['setTimeout', 'clearTimeout', 'setImmediate']) globalThis[name] = () => { calls.push(name) }; ${asking}; process.on('exit', () => console.log(calls))`,
  'no process': `const { process } = globalThis; globalThis.process = undefined; const c = require('./c'); globalThis.process = process; ${asking}; console.log(c)`,
  'another process': `globalThis.process = { env: {} }; ${asking}; console.log(require('./c'))`,
  'no modern globals': `const gone = {}; for (const name of ['Buffer', 'Uint8Array', 'Map', 'Set', 'Proxy', 'Reflect', 'Promise', 'JSON']) { gone[name] = globalThis[name]; globalThis[name] = undefined } const c = require('./c'); Object.assign(globalThis, gone); ${asking}; console.log(c)`,
  'properties on Object.prototype': `Object.prototype.extra = 1; Array.prototype.extra = 2; ${asking}`,
  'fs functions whose calls are counted': `const fs = require('fs'); const calls = []; for (const name of ['statSync', 'mkdirSync', 'writeFileSync']) { const real = fs[name]; fs[name] = (...args) => { calls.push(name); return real(...args) } } ${asking}; console.log(calls)`,
};

for (const [what, main] of Object.entries(programs))
  test(what, async (t) => {
    const { stderr } = await same(t, { ...rest, 'app.js': main });
    t.is(stderr, '');
  });

test('no iterator of arrays', async (t) => {
  // Node.js 20 needs them itself when it opens standard output.
  const main = `console.log(0); const next = Object.getPrototypeOf([][Symbol.iterator]()); delete Array.prototype[Symbol.iterator]; delete next.next; ${asking}`;
  const { stderr } = await same(t, { ...rest, 'app.js': main }, { hits: [] });
  t.is(stderr, '');
});

test('a pipe is only read by the program', async (t) => {
  const main = `const { execSync, spawn } = require('child_process'); execSync('rm -f pipe.js; mkfifo pipe.js'); spawn('sh', ['-c', 'echo "module.exports = 9" > pipe.js']); console.log(require('./pipe.js'), require('./a'))`;
  const { stdout } = await same(t, { ...rest, 'app.js': main });
  t.is(stdout, '9 2\n');
});
