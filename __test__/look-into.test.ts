// A user asked what was in a cache file, and the command said that the healthy file reads as empty.

import { spawnSync } from 'node:child_process';
import { closeSync, openSync, realpathSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ArtifactStore, AutoloadCache, ScriptCache, Shard } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { CLI, runCli } from './helpers/cli.js';
import { folder } from './helpers/folder.js';

const host = { name: 'tool', version: '1.2' };

/** Makes a file of each store, and returns its path and one of its keys. */
function files(dir: string): Record<string, [path: string, key: string]> {
  const source = join(realpathSync(dir), 'source.sh');
  writeFileSync(source, 'echo');
  using scripts = ScriptCache.open(join(dir, 'scripts.shard'), { host, parts: ['program', 'chunk'] });
  scripts.save(source, { program: bytes('program'), chunk: new Uint8Array(5000) });
  scripts.flush();
  using functions = AutoloadCache.open(join(dir, 'functions.shard'), { host });
  functions.putOne('name', bytes('function'));
  using artifacts = ArtifactStore.open(join(dir, 'artifacts'));
  artifacts.insert('artifact', { outputNames: [], outputSizes: [] });
  artifacts.flush();
  using shard = Shard.open(join(dir, 'plain.shard'), { host });
  shard.put('older', bytes('value'));
  shard.put('new\u001b[31m', bytes('value'), { validator: { digest: bytes('ab') } });
  return {
    script: [scripts.path, source],
    autoload: [functions.path, 'name'],
    artifact: [join(artifacts.path, 'index.shard'), 'artifact'],
    shard: [shard.path, 'older'],
  };
}

test('entries of every store are listed, newest first, with size, host and local time', (t) => {
  for (const [kind, [path, key]] of Object.entries(files(folder(t)))) {
    const { status, stdout } = runCli(['list', path], { TZ: 'Etc/GMT-5' });
    t.is(status, 0);
    const [head = '', ...rows] = stdout.trimEnd().split('\n');
    const [newest = ''] = rows;
    t.regex(head, /^ *kB +host +cached at +key$/);
    t.true(rows.at(-1)?.endsWith(key), kind);
    const [time] = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(newest) ?? [];
    // A wrong time zone is off by more than ten minutes, however slow the machine is.
    t.true(Math.abs(Date.parse(`${time}+05:00`) - Date.now()) < 600_000, time);
    if (kind !== 'artifact') t.regex(newest, /tool 1\.2/);
    if (kind === 'script') t.regex(newest, /^ *5\.0 /);
    const numbers = runCli(['stats', path, '--json']);
    t.like(JSON.parse(numbers.stdout), { path, kind, entries: rows.length });
    t.regex(runCli(['stats', '--shard', path]).stdout, new RegExp(`kind: +${kind}\n`));
    t.regex(runCli(['verify', path]).stdout, /nothing is wrong/);
    const doctor = JSON.parse(runCli(['doctor', '--json', '--shard', path]).stdout);
    t.is(doctor.shard.entries, rows.length, `doctor, ${kind}`);
    t.deepEqual(doctor.shard.notes, []);
  }
});

test('control characters of keys are escaped, and --json prints everything that is known', (t) => {
  const [path] = files(folder(t)).shard as [string, string];
  t.regex(runCli(['list', path]).stdout, /new\\u001b\[31m\n/);
  const [newest, oldest] = JSON.parse(runCli(['list', path, '--json']).stdout);
  t.like(newest, { key: 'new\u001b[31m', bytes: 5, host, validator: { digest: '6162' } });
  t.is(oldest.key, 'older');
});

test('a damaged file is reported, and the command exits with 1', (t) => {
  const dir = folder(t);
  const [path] = files(dir).script as [string, string];
  const file = openSync(path, 'r+');
  writeSync(file, 'rust', 5000);
  closeSync(file);
  const { status, stdout } = runCli(['verify', path]);
  t.is(status, 1);
  t.regex(stdout, /damaged[\s\S]*! at byte 4096: the record's digest fails \(.*source\.sh\)/);
  t.false(JSON.parse(runCli(['verify', path, '--json']).stdout).ok);
  const cut = join(dir, 'cut.shard');
  writeFileSync(cut, 'x'.repeat(20), { mode: 0o600 });
  for (const command of ['list', 'verify']) {
    const { status, stdout, stderr } = runCli([command, cut]);
    t.deepEqual([status, stdout], [1, '']);
    t.regex(stderr, /cut\.shard reads as empty \(/);
  }
  const numbers = runCli(['stats', cut]);
  t.is(numbers.status, 1);
  t.regex(numbers.stdout, /rejected: +(truncated|foreign)/);
});

test('for a path without a file the error is printed to standard error, and the command exits with 1', (t) => {
  const dir = folder(t);
  for (const command of ['stats', 'list', 'verify'])
    for (const [path, wanted] of [
      [join(dir, 'none.shard'), /there is no file .*none\.shard/],
      [dir, /is not trusted: it is not a regular file/],
    ] as const) {
      const { status, stdout, stderr } = runCli([command, path]);
      t.deepEqual([status, stdout], [1, '']);
      t.regex(stderr, wanted);
      const { error } = JSON.parse(runCli([command, path, '--json']).stdout);
      t.regex(error.message, wanted);
    }
  // The default is the shard of warmshard/register.
  t.regex(runCli(['list'], { WARMSHARD_HOME: dir }).stderr, /there is no file .*programs\.shard/);
  t.is(runCli(['list', 'a', 'b']).status, 2);
});

test('the command ends quietly if its output is not read to the end', (t) => {
  const path = join(folder(t), 'many.shard');
  using shard = Shard.open(path);
  shard.mergeIn(Array.from({ length: 200_000 }, (_, i): [string, Uint8Array] => [`key${i}`, bytes('v')]));
  const script = `"${process.execPath}" "${CLI}" list "${path}" | head -n 2`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  t.is(stdout.trimEnd().split('\n').length, 2);
  t.is(stderr, '');
});

test('--version prints the version of the package', (t) => {
  const { version } = require('../package.json') as { version: string };
  t.deepEqual(runCli(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
});
