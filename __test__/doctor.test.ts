// "It doesn't work on our build machine": nobody there could find out which binary was loaded, from where, or why not.

import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { runCli } from './helpers/cli.js';
import { folder } from './helpers/folder.js';

/** Without WARMSHARD_FAST, because the suite runs a second time with the fast door. */
const run = (args: string[], env: Record<string, string> = {}) =>
  runCli(args, { WARMSHARD_FAST: '', ...env });

test('if everything works, doctor says what it uses and exits with 0', (t) => {
  const dir = folder(t);
  const shard = Shard.open(join(dir, 'cache.shard'));
  shard.mergeIn([1, 2, 3].map((i): [string, Uint8Array] => [`${i}`, new Uint8Array(10)]));
  shard.close();
  const { status, stdout } = run(['doctor', '--json', '--shard', join(dir, 'cache.shard')]);
  t.is(status, 0, stdout);
  const found = JSON.parse(stdout);
  t.true(found.ok);
  t.is(found.versions.binary, found.versions.package);
  t.regex(found.binary.path, /warmshard\..*\.node$/);
  t.deepEqual(found.binary.tried, []);
  t.true(found.roundTrip.ok);
  t.is(typeof found.fastDoor.open, 'boolean');
  t.is(found.shard.entries, 3);
  t.true(found.shard.writable);
  const text = run(['doctor', '--shard', join(dir, 'cache.shard')]);
  t.is(text.status, 0);
  t.regex(text.stdout, /3 entries[\s\S]*Everything works/);
});

test('without a binary, doctor says what was tried and what to do, and exits with 1', (t) => {
  const { status, stdout } = run(['doctor'], { WARMSHARD_NATIVE_PATH: '/nowhere/x.node' });
  t.is(status, 1);
  t.regex(stdout, /\/nowhere\/x\.node: .*[\s\S]*! WARMSHARD_NATIVE_PATH names/);
});

test('doctor reports a shard that others may write to, and a file that is not a shard', (t) => {
  const dir = folder(t);
  const open = join(dir, 'open.shard');
  Shard.open(open).put('key', new Uint8Array(1));
  chmodSync(open, 0o666);
  const untrusted = run(['doctor', '--shard', open]);
  t.is(untrusted.status, 1);
  t.regex(untrusted.stdout, /! .*open\.shard/);
  const none = join(dir, 'none.shard');
  writeFileSync(none, 'x'.repeat(10_000), { mode: 0o600 });
  const foreign = run(['doctor', '--shard', none]);
  t.is(foreign.status, 0);
  t.regex(foreign.stdout, /It reads as empty \(/);
});

test('without a file doctor looks at the shard that warmshard/register uses, also if HOME is not set', (t) => {
  const dir = folder(t);
  const register = join(__dirname, '..', 'dist', 'register.cjs');
  const script = `console.log(require(${JSON.stringify(register)}).status().path)`;
  for (const own of [{ WARMSHARD_HOME: dir }, { XDG_CACHE_HOME: dir }, { HOME: dir }, {}]) {
    const env = { WARMSHARD_HOME: '', XDG_CACHE_HOME: '', HOME: '', ...own };
    const { stdout } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    const { shard } = JSON.parse(run(['doctor', '--json'], env).stdout);
    t.is(shard.path, stdout.trim());
  }
});

test('doctor says so if there is no folder for a shard', (t) => {
  const homeless = join(folder(t), 'homeless.cjs');
  writeFileSync(homeless, `require('node:os').userInfo = () => { throw new Error('no such user') }`);
  const nowhere = {
    WARMSHARD_HOME: '',
    XDG_CACHE_HOME: '',
    HOME: '',
    NODE_OPTIONS: `-r ${homeless}`,
  };
  const wanted = /there is no folder for the shard: set WARMSHARD_HOME/;
  const { status, stdout, stderr } = run(['doctor'], nowhere);
  t.is(status, 1);
  t.is(stderr, '');
  t.regex(stdout, wanted);
  const stats = run(['stats'], nowhere);
  t.is(stats.status, 1);
  t.regex(stats.stderr, wanted);
});

test('wrong arguments exit with 2 and print the usage', (t) => {
  const cases: [string[], RegExp][] = [
    [[], /^A command is missing/],
    [['cure'], /^There is no command cure/],
    [['doctor', 'x'], /^doctor takes no argument x: name a shard by --shard/],
    [['doctor', '--no-such'], /--no-such/],
  ];
  for (const [args, wanted] of cases) {
    const { status, stderr } = run(args);
    t.is(status, 2, args.join(' '));
    t.regex(stderr, wanted);
    t.regex(stderr, /Usage: warmshard doctor/);
  }
  t.is(run(['--help']).status, 0);
});
