// A tool shipped its shard inside an image, where it was in another folder and the times of files meant nothing.

import { chmodSync, cpSync, existsSync, renameSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { major, Program, register } from '../helpers/program.js';

const api = JSON.stringify(register);

/** A program that calls `enable` with these options. */
function enabling(options: string, rest = '') {
  return `const { enable, flush, status } = require(${api}); enable(${options}); ${rest}`;
}

test('a program can call enable itself, with a shard of its own', async (t) => {
  const program = new Program(t, {
    'app.js': enabling(
      `{ path: __dirname + '/own/x.shard' }`,
      `console.log(require('./a')); require('fs').writeFileSync(__dirname + '/status', JSON.stringify(status()))`,
    ),
    'a.js': 'module.exports = new Error("a").stack',
  });
  const expected = await program.plain();
  for (const when of ['first', 'second']) await program.one(when, expected, { register: false });
  const { lines } = await program.run({ register: false, debug: true });
  t.true(lines.includes(`hit ${program.at('a.js')}`), lines.join());
  t.true(existsSync(program.at('own/x.shard')));
  t.false(existsSync(program.shard));
});

test('requiring warmshard/register after it was preloaded gives the same instance', async (t) => {
  const program = new Program(t, {
    'app.js': `const r = require(${api}); console.log(r.status().enabled, r === require(${api}), Object.keys(r).sort(), r.enable.name); import(${JSON.stringify(register.replace('.cjs', '.mjs'))}).then((m) => console.log(m.enable === r.enable))`,
  });
  for (const _ of ['cold', 'warm']) {
    const { stdout, stderr } = await program.run();
    t.is(stderr, '');
    t.is(stdout, "true true [ 'enable', 'flush', 'status' ] enable\ntrue\n");
  }
});

test('status() counts, and flush() writes before the program ends', async (t) => {
  const program = new Program(t, {
    'app.js': `const { flush, status } = require(${api}); require('./a'); const first = flush(); console.log(JSON.stringify({ ...status(), first, second: flush() }))`,
    'a.js': '',
  });
  const cold = JSON.parse((await program.run()).stdout);
  t.like(cold, { enabled: true, path: program.shard, hits: 0, misses: 2, second: 0 });
  t.true(cold.first > 0);
  const warm = JSON.parse((await program.run()).stdout);
  t.like(warm, { hits: 2, misses: 0, rejected: 0, first: 0 });
  t.true(warm.resolved >= 1);
});

test('include and exclude choose the files that are served', async (t) => {
  const files = { 'a.js': '', 'sub/b.js': '', 'sub/c.js': '', 'subway/d.js': '', 'app.js': '' };
  const all = `for (const f of ['./a', './sub/b', './sub/c', './subway/d']) require(f)`;
  for (const [options, expected] of [
    [`{ include: ['sub'] }`, ['sub/b.js', 'sub/c.js']],
    [`{ include: [__dirname + '/sub/'], exclude: [/c[.]js$/g] }`, ['sub/b.js']],
    [`{ exclude: ['./sub', 'a.js'] }`, ['subway/d.js']],
    [`{ include: [/sub/g] }`, ['sub/b.js', 'sub/c.js', 'subway/d.js']],
    [`{ include: [] }`, []],
  ] as const) {
    const program = new Program(t, { ...files, 'app.js': enabling(options, all) });
    await program.run({ register: false });
    const { lines } = await program.run({ register: false, debug: true });
    const hits = lines
      .filter((line) => line.startsWith('hit '))
      .map((line) => line.slice(5 + program.dir.length));
    t.deepEqual(hits, [...expected], options);
  }
});

test('with readOnly, files are served and nothing is recorded', async (t) => {
  const program = new Program(t, {
    'app.js': `require('./a'); require('./b')`,
    'a.js': 'console.log(1)',
    'b.js': 'console.log(2)',
    'read.js': enabling('{ readOnly: true }', `require('./app')`),
  });
  await program.same();
  program.write({ 'b.js': 'console.log(3)' });
  const before = statSync(program.shard);
  for (const _ of [1, 2]) {
    const { lines, stdout } = await program.run({ register: false, main: 'read.js', debug: true });
    t.is(stdout, '1\n3\n');
    t.true(lines.includes(`hit ${program.at('a.js')}`));
    t.true(lines.includes(`miss ${program.at('b.js')}: changed`));
    t.false(lines.some((line) => line.startsWith('wrote')));
  }
  t.deepEqual([statSync(program.shard).size, statSync(program.shard).mtimeMs], [before.size, before.mtimeMs]);
});

test('a shard that is shipped with a program works in any folder, whatever the times of its files', async (t) => {
  const program = new Program(t, {
    'here/app.js': enabling(
      `{ path: __dirname + '/app.shard', root: __dirname, readOnly: process.env.SHIPPED === '1' }`,
      `console.log(require('./lib/a'), require('pkg'))`,
    ),
    'here/lib/a.js': `module.exports = [__filename, require('./b')]`,
    'here/lib/b.js': 'module.exports = "b"',
    'here/node_modules/pkg/package.json': '{"exports":"./x.js"}',
    'here/node_modules/pkg/x.js': 'module.exports = "pkg"',
  });
  const options = { main: 'here/app.js', register: false };
  await program.run(options);
  await program.run(options);
  cpSync(program.at('here'), program.at('far/away'), { recursive: true });
  renameSync(program.at('here'), program.at('gone'));
  const names = ['lib/a.js', 'lib/b.js', 'node_modules/pkg/x.js'];
  for (const name of names) utimesSync(program.at('far/away', name), 1, 1);
  const moved = { main: 'far/away/app.js', register: false, env: { SHIPPED: '1' } };
  const { stdout, lines } = await program.run({ ...moved, debug: true });
  t.is(stdout, `[ '${program.at('far/away/lib/a.js')}', 'b' ] pkg\n`);
  for (const name of names) t.true(lines.includes(`hit ${program.at('far/away', name)}`), lines.join('\n'));
  program.write({ 'far/away/lib/b.js': 'module.exports = "c"' });
  t.is((await program.run(moved)).stdout, stdout.replace("'b'", "'c'"));
});

test('the shard stays below maxBytes', async (t) => {
  const program = new Program(t, {
    'app.js': enabling(
      `{ path: __dirname + '/x.shard', maxBytes: 256 << 10 }`,
      `require('./big' + process.argv[2])`,
    ),
    ...Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [
        `big${i}.js`,
        `module.exports = () => [${`${i}, `.repeat(30_000)}]`,
      ]),
    ),
  });
  for (let i = 0; i < 8; i++) await program.run({ register: false, args: [String(i)] });
  // A writer compacts on a thread and may exit before it is done; then the next writer has to compact.
  t.true(statSync(program.at('x.shard')).size < 1 << 20, String(statSync(program.at('x.shard')).size));
});

test('modules that are no longer used, such as those of an older Node.js, are evicted first', async (t) => {
  const big = (name: string) => `module.exports = () => ['${name}', ${'1, '.repeat(30_000)}]`;
  const names = ['old', ...'abcdefghijkl'];
  const program = new Program(t, {
    'app.js': enabling(
      `{ path: __dirname + '/x.shard', maxBytes: 384 << 10 }`,
      `require('./' + process.argv[2])`,
    ),
    ...Object.fromEntries(names.map((name) => [`${name}.js`, big(name)])),
  });
  // The profile distinguishes producers; here different home folders stand for different versions of Node.js.
  const run = async (name: string, HOME: string) => {
    const { lines } = await program.run({ register: false, args: [name], env: { HOME }, debug: true });
    const of = (file: string) => lines.find((line) => line.includes(program.at(file)))?.split(' ')[0];
    return of(`${name}.js`);
  };
  const [before, now] = [program.at('before'), program.at('now')];
  t.is(await run('old', before), 'miss');
  t.is(await run('old', before), 'hit');
  for (const name of names.slice(1)) {
    t.is(await run(name, now), 'miss');
    t.is(await run('a', now), 'hit', `a is used, when ${name} comes`);
  }
  t.is(await run('l', now), 'hit');
  t.is(await run('old', before), 'miss', 'not used since the other version');
});

test('invalid options are refused, and change nothing', async (t) => {
  const program = new Program(t, {
    'app.js': `const { enable, status } = require(${api}); const path = status().path;
for (const o of [null, 5, [], { pth: 'x' }, { path: '' }, { path: 5 }, { path: 'a\\0b' }, { root: {} }, { include: 'x' }, { exclude: [5] }, { include: [''] }, { readOnly: 1 }, { maxBytes: 1 }, { maxBytes: '1' }, { maxBytes: 1e6 + 0.5 }, { trust: 'all' }, { trust: 'root' }])
  try { enable(o); console.log('taken', o) } catch (e) { console.log(e.name, e.code, e instanceof Error, e.message) }
console.log(status().path === path, status().enabled); enable(undefined); enable({}); enable({ path: undefined }); console.log(status().enabled)`,
  });
  const { stdout, stderr } = await program.run();
  t.is(stderr, '');
  const lines = stdout.trim().split('\n');
  t.is(lines.length, 19);
  for (const line of lines.slice(0, 17)) t.regex(line, /^WarmshardError ERR_INVALID_ARG true .+/);
  t.deepEqual(lines.slice(17), ['true true', 'true']);
});

test('the option trust decides which shards are used', async (t) => {
  const program = new Program(t, {
    'app.js': enabling(
      `{ path: __dirname + '/x.shard', trust: process.argv[2] }`,
      `require('./a'); const { hits, reason } = status(); console.log(hits, reason)`,
    ),
    'a.js': '',
  });
  const run = async (trust: string) => (await program.run({ register: false, args: [trust] })).stdout.trim();
  for (const trust of ['private', 'group', 'system'])
    t.is(await run(trust), `${trust === 'private' ? 0 : 1} undefined`);
  chmodSync(program.at('x.shard'), 0o660);
  chmodSync(program.at('x.shard.lock'), 0o660);
  t.is(await run('group'), '1 undefined');
  for (const trust of ['private', 'system']) t.regex(await run(trust), /^0 .*can be written by others/);
});

test("other users use a shard of root only with trust 'system'", async (t) => {
  if (process.getuid?.() !== 0) {
    t.log('skipped: only root can be two users');
    t.pass();
    return;
  }
  // Load everything before the user changes, because the other user may have no access to the checkout.
  const program = new Program(t, {
    'app.js': enabling(
      `{ path: __dirname + '/x.shard', readOnly: process.argv[2] !== undefined }`,
      `require('./a');
if (process.argv[2] !== undefined) { process.setgid(65534); process.setuid(65534);
  for (const trust of ['private', 'group', 'system']) {
    const before = status().hits;
    enable({ path: __dirname + '/x.shard', readOnly: true, trust });
    require('./' + trust);
    console.log(trust, status().hits - before);
  } } else for (const name of ['private', 'group', 'system']) require('./' + name)`,
    ),
    ...Object.fromEntries(['a', 'private', 'group', 'system'].map((name) => [`${name}.js`, ''])),
  });
  await program.run({ register: false });
  for (const name of ['..', '', 'app.js', 'a.js', 'private.js', 'group.js', 'system.js'])
    chmodSync(program.at(name), 0o755);
  for (const name of ['x.shard', 'x.shard.lock']) chmodSync(program.at(name), 0o644);
  const { stdout, stderr } = await program.run({ register: false, args: ['other'] });
  t.is(stderr, '');
  t.is(stdout, 'private 0\ngroup 0\nsystem 1\n');
});

test('the debug output says for each module: hit, miss, changed or aside', async (t) => {
  const program = new Program(t, {
    'app.js': `require('./a'); try { require('./bad') } catch {}`,
    'a.js': '',
    'bad.js': 'let = = 1',
  });
  const say = async () =>
    (await program.run({ debug: true })).lines.map((line) => line.replace(`${program.dir}/`, ''));
  t.true((await say()).includes('miss a.js: not known'));
  program.write({ 'a.js': '1' });
  const lines = await say();
  for (const line of ['hit app.js', 'miss a.js: changed', 'aside bad.js: as before'])
    t.true(lines.includes(line), lines.join('\n'));
});

if (major >= 22)
  test('warmshard/register can be preloaded by --import, and has named exports', async (t) => {
    const program = new Program(t, {
      'app.js': `console.log(require('./a'))`,
      'a.js': 'module.exports = new Error("a").stack',
      'own.mjs': `import { enable, status } from ${JSON.stringify(register.replace('.cjs', '.mjs'))}; enable({ path: './y.shard' }); const { default: app } = await import('./app.js'); if (!status().enabled) throw 1`,
    });
    const node = ['--import', register.replace('.cjs', '.mjs')];
    const expected = await program.plain();
    for (const when of ['cold', 'warm']) await program.one(when, expected, { register: false, node });
    const { lines } = await program.run({ register: false, node, debug: true });
    t.true(lines.includes(`hit ${program.at('a.js')}`), lines.join('\n'));
    const { code } = await program.run({ register: false, main: 'own.mjs' });
    t.is(code, 0);
    t.true(existsSync(join(program.dir, 'y.shard')));
  });
