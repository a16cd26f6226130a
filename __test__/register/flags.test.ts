// Because of the cache a debugger did not stop, a profile was empty, and a coverage report was incomplete.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folder } from '../helpers/folder.js';
import { type Files, major, Program, register, type SameOptions } from '../helpers/program.js';

const files: Files = {
  'app.js': `const a = require('./a'); console.log(a.add(1, 2)); console.log(new Error('x').stack)`,
  'a.js': `exports.add = function add(a, b) {\n  return a + b;\n};\nexports.never = () => 7;`,
};

/** Flags and settings with which nothing is served. */
const aside: Record<string, SameOptions> = {
  '--cpu-prof': { node: ['--cpu-prof', '--cpu-prof-dir=prof'] },
  '--heap-prof': { node: ['--heap-prof', '--heap-prof-dir=prof'] },
  '--enable-source-maps': { node: ['--enable-source-maps'] },
  '--no-lazy': { node: ['--no-lazy'] },
  '--frozen-intrinsics': { node: ['--frozen-intrinsics'] },
  '--preserve-symlinks-main': { node: ['--preserve-symlinks-main', '--preserve-symlinks'] },
  NODE_OPTIONS: { env: { NODE_OPTIONS: '--enable-source-maps' } },
  'WARMSHARD=0': { env: { WARMSHARD: '0' } },
};

for (const [what, options] of Object.entries(aside))
  test(`${what}: nothing is served`, async (t) => {
    const program = new Program(t, files);
    await program.same({ ...options, aside: true });
    t.false(existsSync(program.shard), 'no shard is created');
  });

/** Flags and settings with which programs are served. */
const served: Record<string, SameOptions> = {
  '--no-warnings': { node: ['--no-warnings'] },
  '--max-old-space-size': { node: ['--max-old-space-size=200'] },
  '--stack-trace-limit': { node: ['--stack-trace-limit=2'] },
  '--expose-gc': { node: ['--expose-gc'] },
  '--jitless': { node: ['--jitless'] },
  '--throw-deprecation': { node: ['--throw-deprecation'] },
  '--pending-deprecation': { node: ['--pending-deprecation'] },
  '--disable-proto': { node: ['--disable-proto=delete'] },
  '--no-flush-bytecode': { node: ['--no-flush-bytecode'] },
  NODE_DEBUG: { env: { NODE_DEBUG: 'http' } },
  NODE_PENDING_DEPRECATION: { env: { NODE_PENDING_DEPRECATION: '1' } },
};

for (const [what, options] of Object.entries(served))
  test(`${what}: served`, async (t) => {
    await new Program(t, files).same({ ...options, hits: ['app.js', 'a.js'] });
  });

test('one shard serves runs with different flags', async (t) => {
  const program = new Program(t, files);
  for (const node of [[], ['--no-opt'], ['--stack-size=500'], [], ['--no-opt']]) await program.same({ node });
});

test('a program may change V8 flags while it runs', async (t) => {
  const program = new Program(t, {
    ...files,
    'app.js': `require('v8').setFlagsFromString('--no-flush-bytecode'); require('v8').setFlagsFromString('--stack-size=600'); console.log(require('./a').add(1, 2))`,
  });
  const { lines } = await program.same({ hits: [] });
  t.false(
    lines.some((line) => line.startsWith('wrote')),
    'V8 would refuse what is recorded',
  );
});

test('coverage is complete and correct', async (t) => {
  const program = new Program(t, files);
  const functions = async (register: boolean) => {
    const dir = program.at(`coverage-${register}-${Math.random()}`);
    await program.run({ register, env: { NODE_V8_COVERAGE: dir } });
    const scripts = readdirSync(dir).flatMap(
      (file) =>
        JSON.parse(readFileSync(join(dir, file), 'utf8')).result as { url: string; functions: unknown[] }[],
    );
    return scripts
      .filter(({ url }) => url.startsWith('file:') && !url.includes('/dist/register'))
      .map(({ url, functions }) => JSON.stringify([url, functions]))
      .sort();
  };
  await program.same();
  const expected = await functions(false);
  t.is(expected.length, 2);
  for (const _ of ['first', 'second']) t.deepEqual(await functions(true), expected);
});

test('breakpoints of an inspector in the process work', async (t) => {
  const program = new Program(t, {
    'a.js': files['a.js'] as string,
    // A session inside the process begins too late for warmshard to switch itself off, so V8 must know the lines.
    'app.js': `const { Session } = require('inspector'); const s = new Session(); s.connect(); const scripts = []; s.on('Debugger.scriptParsed', ({ params }) => { if (params.url.includes('/program/')) scripts.push(params.url.split('/').pop()) }); s.post('Debugger.enable'); s.post('Debugger.setBreakpointByUrl', { lineNumber: 1, urlRegex: '.*/a[.]js' }, (e, r) => console.log(e)); const a = require('./a'); let stopped = 0; s.on('Debugger.paused', ({ params }) => { stopped++; console.log(params.callFrames[0].functionName, params.callFrames[0].location.lineNumber) }); console.log(a.add(1, 2), stopped, scripts);`,
  });
  await program.same({ hits: [] });
});

// The program spins until it has used a certain processor time, so that the profiler takes samples on a busy machine, too.
test('a profiler in the process names functions, files and lines', async (t) => {
  const program = new Program(t, {
    'a.js': `exports.spin = function spin(ms) {\n  const end = process.cpuUsage().user + ms * 1000;\n  while (process.cpuUsage().user < end);\n};`,
    'app.js': `const a = require('./a'); const { Session } = require('inspector'); const s = new Session(); s.connect(); s.post('Profiler.enable'); s.post('Profiler.start'); a.spin(250); s.post('Profiler.stop', (e, { profile }) => { const n = profile.nodes.find((n) => n.callFrame.functionName === 'spin'); console.log(n && [n.callFrame.url, n.callFrame.lineNumber, n.callFrame.columnNumber]) })`,
  });
  await program.same();
});

if (major >= 22)
  test('if permissions forbid addons, nothing is served, and the program runs', async (t) => {
    const flag = major >= 24 ? '--permission' : '--experimental-permission';
    const program = new Program(t, {
      'app.js': `console.log(require('./a'))`,
      'a.js': 'module.exports = 1',
      'status.js': `const { enabled, reason } = require(${JSON.stringify(register)}).status(); console.log(enabled, typeof reason)`,
    });
    const tidy = (text: string) => text.replace(/\(node:\d+\)/g, '');
    const options = { node: [flag, '--allow-fs-read=*'], tidy, aside: true };
    await program.same(options);
    const { stdout } = await program.run({ ...options, main: 'status.js' });
    t.is(stdout, 'false string\n');
  });

// The runtime lets itself read what it is told to preload, and nothing beside it.
if (major >= 22)
  test('permissions refuse our own bundles: the program runs', async (t) => {
    const program = new Program(t, {
      'app.js': `console.log(require('./a'))`,
      'a.js': 'module.exports = 1',
      'app.mjs': `import './a.js'; console.log(2)`,
    });
    const flag = major >= 24 ? '--permission' : '--experimental-permission';
    const tidy = (text: string) => text.replace(/\(node:\d+\)/g, '');
    const options = { node: [flag, `--allow-fs-read=${program.at('.')}/*`], tidy, aside: true };
    await program.same(options);
    await program.same({ ...options, small: true });
    await program.same({ ...options, main: 'app.mjs' });
  });

// V8 is told that a program is being loaded, and then puts off collecting garbage.
test('a heap that must not grow is not let grow', async (t) => {
  const program = new Program(t, {
    'app.js': `const { compile } = require('./compile'); const registry = new FinalizationRegistry(() => { collected = true }); let collected = false, made = 0; const make = async () => { registry.register(await compile()); if (made++ < 2048 && !collected) setImmediate(make); else console.log('over') }; make()`,
    'compile.js': `const vm = require('vm'); exports.compile = async () => vm.compileFunction(JSON.stringify(Math.random().toString().repeat(512)), [], { async importModuleDynamically() {} })`,
  });
  await program.same({ node: ['--max-old-space-size=24'], small: true, hits: ['compile.js'] });
});

test('a program runs whatever folder the environment gives for the shard', async (t) => {
  const program = new Program(t, { ...files, 'is-file': '' });
  const gone = { WARMSHARD_HOME: undefined, HOME: undefined, XDG_CACHE_HOME: program.at('cache') };
  const expected = await program.plain();
  for (const [what, env] of Object.entries({
    'a cache folder': gone,
    'a home that is a file': { WARMSHARD_HOME: program.at('is-file') },
    'a home that cannot be made': { WARMSHARD_HOME: '/proc/none' },
    'an empty one': { WARMSHARD_HOME: '', HOME: program.at('home') },
    'a relative one': { WARMSHARD_HOME: './own' },
  }))
    for (const when of ['first', 'second', 'third']) await program.one(`${what}, ${when}`, expected, { env });
  t.true(existsSync(program.at('cache/warmshard/programs.shard')));
  t.true(existsSync(program.at('own/programs.shard')));
});

test('a program runs for a user without an entry in the user database and without HOME, as in containers', async (t) => {
  const program = new Program(t, {
    ...files,
    'import.mjs': `import './a.js'; console.log('imported')`,
    'status.js': `const { enabled, reason, path } = require(${JSON.stringify(register)}).status(); console.log(enabled, reason, [path])`,
    'unknown.js': `require('os').userInfo = () => { throw new Error('uv_os_get_passwd returned ENOENT') }`,
    'known.js': `require('os').userInfo = () => ({ homedir: ${JSON.stringify(folder(t))} })`,
  });
  const homes: Record<string, Record<string, string | undefined>> = {
    none: { HOME: undefined },
    'an empty one': { HOME: '' },
    'a relative one': { HOME: 'home' },
  };
  for (const [what, home] of Object.entries(homes)) {
    // NODE_OPTIONS come first, so this file is preloaded before warmshard.
    const env = { ...home, WARMSHARD_HOME: undefined, XDG_CACHE_HOME: undefined };
    const options = { env: { ...env, NODE_OPTIONS: `-r ${program.at('unknown.js')}` } };
    const cold = await program.same({ ...options, aside: true });
    t.is(cold.code, 0, what);
    await program.same({ ...options, aside: true, main: 'import.mjs' });
    const { stdout } = await program.run({ ...options, main: 'status.js' });
    t.is(
      stdout,
      "false there is no folder for the shard: set WARMSHARD_HOME, XDG_CACHE_HOME or HOME [ '' ]\n",
    );
    t.false(existsSync(program.at('home')), what);
    await program.same({ env: { ...env, NODE_OPTIONS: `-r ${program.at('known.js')}` } });
    t.false(existsSync(program.at('home')), what);
  }
});
