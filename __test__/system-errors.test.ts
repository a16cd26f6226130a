// A log said "EACCES", but not for which file, or what the program had tried to do with it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

test('an error of the system is ERR_IO with errno, syscall and path', (t) => {
  const file = join(folder(t), 'file');
  writeFileSync(file, 'x');
  for (const path of [join(file, 'cache.shard'), join(file, 'deeper', 'cache.shard')]) {
    const error = throwsCode(t, 'ERR_IO', () => Shard.open(path));
    t.is(error?.errno, -constants.errno.ENOTDIR);
    t.true((error?.syscall ?? '').length > 0);
    t.true(error?.path?.startsWith(file));
    t.true(error?.message.includes(error.path as string));
    t.deepEqual(Object.keys(error ?? {}).sort(), ['code', 'errno', 'path', 'syscall']);
  }
  const long = join(folder(t), 'x'.repeat(300));
  t.is(throwsCode(t, 'ERR_IO', () => Shard.open(long))?.errno, -constants.errno.ENAMETOOLONG);
});

test('if the working folder has been deleted, a relative path is ERR_IO, and an absolute one can be opened', async (t) => {
  const dir = folder(t);
  const seen = await inChild(
    t,
    ({ fs, warmshard: { ScriptCache, Shard } }: Inside, dir: string) => {
      fs.mkdirSync(`${dir}/gone`);
      process.chdir(`${dir}/gone`);
      fs.rmdirSync(`${dir}/gone`);
      const codes = [
        () => Shard.open('cache.shard'),
        () => ScriptCache.open('cache.shard', { host: { name: 'h', version: '1' } }),
      ].map((open) => {
        try {
          return String(open());
        } catch (error) {
          const { name, code, errno, syscall } = error as NodeJS.ErrnoException;
          return [name, code, errno, syscall];
        }
      });
      return [...codes, Shard.open(`${dir}/cache.shard`).size];
    },
    dir,
  );
  const gone = ['WarmshardError', 'ERR_IO', -constants.errno.ENOENT, 'uv_cwd'];
  t.deepEqual(seen, [gone, gone, 0]);
});

const linux = process.platform === 'linux' ? test : test.skip;

linux('a folder in which no files can be created is ERR_IO, not a lock timeout', (t) => {
  using shard = Shard.open('/proc/self/warmshard');
  const error = throwsCode(t, 'ERR_IO', () => shard.put('key', bytes('value')));
  t.deepEqual([error?.errno, error?.syscall], [-constants.errno.ENOENT, 'open']);
  t.is(shard.get('key'), undefined);
});

test('a folder without write permission is ERR_IO, but can be opened read-only', async (t) => {
  if (process.getuid?.() !== 0) {
    t.log('skipped: needs a second user');
    t.pass();
    return;
  }
  const dir = folder(t);
  const body = ({ warmshard: { Shard } }: Inside, dir: string) => {
    process.setuid?.(65534);
    try {
      Shard.open(`${dir}/cache.shard`);
      return 'opened';
    } catch (error) {
      const { code, errno, syscall } = error as { code: string; errno: number; syscall: string };
      return [
        code,
        errno,
        syscall,
        Shard.open(`${dir}/cache.shard`, { readOnly: true, trust: 'system' }).size,
      ];
    }
  };
  // Other users may only enter the folder.
  mkdirSync(join(dir, 'closed'), { mode: 0o755 });
  spawnSync('chmod', ['755', dir]);
  t.deepEqual(await inChild(t, body, join(dir, 'closed')), ['ERR_IO', -constants.errno.EACCES, 'open', 0]);
});

everyWay('a full disk is ERR_NO_SPACE, and stored entries stay', async (t, way) => {
  const dir = join(folder(t), 'small');
  mkdirSync(dir);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', dir]);
  if (mounted.status !== 0) {
    t.log('skipped: mounting is not permitted here');
    t.pass();
    return;
  }
  t.teardown(() => spawnSync('umount', ['-l', dir]));
  const path = join(dir, 'cache.shard');
  const shard = Shard.open(path, { ...way.options, autoCompact: false });
  let stored = 0;
  const error = throwsCode(t, 'ERR_NO_SPACE', () => {
    for (; stored < 1000; stored++) shard.put(`${stored}`, pattern(20_000, stored));
  });
  t.is(error?.errno, -constants.errno.ENOSPC);
  t.true(error?.path?.startsWith(path));
  t.true((error?.syscall ?? '').length > 0);
  t.true(stored > 20, `${stored}`);
  throwsCode(t, 'ERR_NO_SPACE', () => shard.mergeIn([['batch', pattern(900_000, 1)]]));
  throwsCode(t, 'ERR_NO_SPACE', () => shard.replaceAll([['batch', pattern(900_000, 1)]]));
  throwsCode(t, 'ERR_NO_SPACE', () => shard.compact());
  await rejectsCode(t, 'ERR_NO_SPACE', () => shard.compactAsync());
  t.is(shard.size, stored);
  for (let i = 0; i < stored; i++) same(t, shard.get(`${i}`), pattern(20_000, i));
  t.true(shard.verify().ok);
  t.deepEqual(readdirSync(dir).sort(), ['cache.shard', 'cache.shard.lock'], 'no temporary files are left');
  shard.close();
  const again = Shard.open(path, way.options);
  t.is(again.size, stored);
  same(t, again.get('3'), pattern(20_000, 3));
  // Replacing the file by an empty one frees space.
  again.clear();
  again.put('after', bytes('after'));
  t.is(text(again.get('after')), 'after');
  again.close();
});

test('if the folder of an open shard is deleted, entries are lost, but nothing throws', async (t) => {
  const path = join(folder(t), 'gone', 'cache.shard');
  using shard = Shard.open(path);
  shard.put('key', bytes('value'));
  spawnSync('rm', ['-r', join(path, '..')]);
  await new Promise((done) => setTimeout(done, 1300));
  t.is(shard.get('key'), undefined);
  t.false(existsSync(join(path, '..')), 'reading does not create the folder');
  shard.put('key', bytes('again'));
  t.is(text(shard.get('key')), 'again');
  t.true(existsSync(path));
  const other = shardPath(t);
  t.false(existsSync(other));
});

test('without a free descriptor, values are copied and look-ups still work', async (t) => {
  const child = startChild(
    t,
    ({ warmshard: { Shard }, fs }: Inside, path: string) => {
      const shard = Shard.open(path);
      shard.put('key', new Uint8Array(1));
      const taken: number[] = [];
      try {
        for (;;) taken.push(fs.openSync('/dev/null', 'r'));
      } catch {}
      const lengths = new Set<number | undefined>();
      for (let i = 0; i < 400; i++) {
        shard.put(`key ${i}`, new Uint8Array(3000 + i));
        lengths.add((shard.get(`key ${i}`)?.length ?? 0) - i);
        lengths.add((shard.get(`key ${i}`)?.length ?? 0) - i);
      }
      const bundles = Object.keys(require.cache).filter((name) => name.endsWith('later.cjs'));
      for (const fd of taken) fs.closeSync(fd);
      return [[...lengths], bundles];
    },
    shardPath(t),
    { under: ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'], env: { WARMSHARD_FAST: '', WARMSHARD_COPY: '' } },
  );
  t.deepEqual(await child.result, [[3000], []]);
});

test('without a free descriptor, the first use of another bundle is ERR_IO, and later it works', async (t) => {
  const child = startChild(
    t,
    ({ warmshard, fs }: Inside, path: string) => {
      const { Shard, WarmshardError } = warmshard;
      const shard = Shard.open(path);
      shard.put('key', new Uint8Array(1));
      const outcome = (use: () => unknown) => {
        try {
          use();
          return 'fine';
        } catch (error) {
          if (!(error instanceof WarmshardError)) return `${error}`;
          const { code, errno, path } = error;
          return [code, errno, path?.split('/').slice(-2).join('/')];
        }
      };
      const outcomes = () => [outcome(() => shard.info('key')), outcome(() => warmshard.defaultCachePath())];
      const taken: number[] = [];
      const take = () => {
        for (;;) taken.push(fs.openSync('/dev/null', 'r'));
      };
      const full = outcome(take);
      const starved = outcomes();
      for (const fd of taken) fs.closeSync(fd);
      return [full, starved, outcomes()];
    },
    shardPath(t),
    { under: ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'] },
  );
  const [full, starved, later] = (await child.result) as [string, unknown, unknown];
  t.regex(full, /EMFILE/);
  const refused = (bundle: string) => ['ERR_IO', -constants.errno.EMFILE, `dist/${bundle}`];
  t.deepEqual(starved, [refused('later.cjs'), refused('stores.cjs')]);
  t.deepEqual(later, ['fine', 'fine']);
});
