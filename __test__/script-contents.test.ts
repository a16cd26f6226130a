// Nobody could find out what was in the cache, and half of it belonged to sources that had been deleted years ago.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { fileMtime } from 'warmshard';
import { text } from './helpers/bytes.js';
import { type Inside, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { code, openScripts, source } from './helpers/scripts.js';
import { throwsCode } from './helpers/throws.js';

test('list returns path, bytes, version and time of every entry, newest first', async (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const before = Date.now();
  for (const version of ['1', '2', '3']) {
    const cache = openScripts(t, path, { host: { name: 'tool', version, binary: false } });
    cache.save(source(join(dir, `of ${version}.js`), 'x'), { code: new Uint8Array(Number(version)) });
    await new Promise((done) => setTimeout(done, 3));
  }
  const list = openScripts(t, path).list();
  t.deepEqual(
    list.map(({ path, bytes, version }) => ({ path, bytes, version })),
    ['3', '2', '1'].map((version) => ({
      path: join(dir, `of ${version}.js`),
      bytes: { code: Number(version) },
      version,
    })),
  );
  for (const { cachedAt } of list) t.true(cachedAt.getTime() >= before && cachedAt.getTime() <= Date.now());
  t.deepEqual(
    list.map((entry) => entry.cachedAt.getTime()),
    list.map((entry) => entry.cachedAt.getTime()).sort((a, b) => b - a),
  );
  t.like(openScripts(t, path).stats(), { entries: 3, bytes: 6 });
});

test('stats count the bytes of live entries, not of the file', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const [cache, other] = [openScripts(t, path), openScripts(t, path)];
  const file = source(join(dir, 'x.js'), 'x');
  for (let i = 1; i <= 5; i++) {
    cache.save(file, { code: new Uint8Array(i * 100) });
    t.like(other.stats(), { entries: 1, bytes: i * 100 });
  }
  cache.save(source(join(dir, 'y.js'), 'y'), { code: new Uint8Array(7) });
  t.like(other.stats(), { entries: 2, bytes: 507, saves: 0 });
  t.true(other.stats().fileBytes > 4096);
});

test('evictStale drops entries whose source is gone or changed, and returns how many', async (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const files = Array.from({ length: 9 }, (_, i) => source(join(dir, `${i}.js`), 'x'));
  for (const file of files) cache.save(file, code('x'));
  rmSync(files[0] as string);
  source(files[1] as string, 'longer');
  source(files[2] as string, 'x', 1);
  t.is(cache.evictStale(), 3);
  t.is(cache.evictStale(), 0);
  rmSync(files[3] as string);
  t.is(await cache.evictStaleAsync(), 1);
  t.like(cache.stats(), { entries: 5, evictions: 4 });
  t.deepEqual(
    cache
      .list()
      .map((entry) => entry.path)
      .sort(),
    files.slice(4),
  );
  const next = openScripts(t, cache.path, { host: { name: 'tool', version: '2', binary: false } });
  t.is(next.evictStale(), 5, "other hosts' entries are stale, too");
});

test('clear removes the file, can be repeated, and every process sees it at once', async (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'deep', 'cache.shard');
  const [cache, other] = [openScripts(t, path), openScripts(t, path)];
  const file = source(join(dir, 'x.js'), 'x');
  cache.clear();
  t.false(existsSync(path), 'nothing to remove');
  cache.save(file, code('one'));
  const child = startChild(
    t,
    async ({ warmshard: { ScriptCache }, send, receive }: Inside, { path, file }: Record<string, string>) => {
      const host = { name: 'tool', version: '1', binary: false } as const;
      const cache = ScriptCache.open(path as string, { host });
      const load = () => Buffer.from(cache.load(file as string)?.code ?? []).toString();
      send(load());
      await receive();
      send([load(), cache.stats().entries]);
      await receive();
      cache.save(file as string, { code: Buffer.from('by the child') });
      send(load());
    },
    { path, file },
  );
  t.is(await child.receive(), 'one');
  const lent = other.load(file);
  const generation = cache.stats().generation;
  cache.clear();
  t.false(existsSync(path));
  t.is(other.load(file), undefined);
  t.is(text(lent?.code), 'one', 'lent values stay valid');
  child.send('look');
  t.deepEqual(await child.receive(), ['', 0]);
  for (const one of [cache, other]) t.notThrows(() => one.clear());
  t.deepEqual(readdirSync(dirname(path)), ['cache.shard.lock']);
  t.true(cache.stats().generation > generation);
  child.send('save');
  t.is(await child.receive(), 'by the child');
  t.true(existsSync(path));
  for (const one of [cache, other]) t.is(text(one.load(file)?.code), 'by the child');
  t.true(cache.stats().generation > generation + 1);
});

test('get and put use a path and a time without looking at the file', (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const file = source(join(dir, 'x.js'), 'x', 1_500_000_000.25);
  const [sec, nsec] = fileMtime(file) as [number, number];
  t.deepEqual([sec, nsec], [1_500_000_000, 250_000_000]);
  cache.put(file, sec, nsec, code('put'));
  t.is(text(cache.get(file, sec, nsec)?.code), 'put');
  t.is(text(cache.load(file)?.code), 'put', 'load finds what was put with the time of the file');
  t.is(cache.get(file, sec, nsec + 1), undefined);
  t.is(cache.get(file, sec - 1, nsec), undefined);
  cache.save(file, code('saved'));
  t.is(text(cache.get(file, sec, nsec)?.code), 'saved', 'and the other way round');
  cache.put('no path at all', -5, 999_999_999, code('odd'));
  t.is(text(cache.get('no path at all', -5, 999_999_999)?.code), 'odd');
  t.like(cache.stats(), { saves: 3, stale: 2, hits: 4 });
});

test('fileMtime is exact, and undefined if there is no file', (t) => {
  const dir = folder(t);
  t.is(fileMtime(join(dir, 'gone')), undefined);
  t.is(fileMtime('x\0y'), undefined);
  const old = source(join(dir, 'old'), 'x');
  utimesSync(old, new Date(-1500), new Date(-1500));
  t.deepEqual(fileMtime(old), [-2, 500_000_000]);
  t.deepEqual(fileMtime(source(join(dir, 'zero'), 'x', 0)), [0, 0]);
  symlinkSync(join(dir, 'zero'), join(dir, 'link'));
  t.deepEqual(fileMtime(join(dir, 'link')), [0, 0]);
  throwsCode(t, 'ERR_INVALID_ARG', () => fileMtime(1 as never));
});

test('a cache made below a root can be used at another path, also through a link', (t) => {
  const dir = realpathSync(folder(t));
  const build = join(dir, 'build');
  mkdirSync(join(build, 'src'), { recursive: true });
  const file = source(join(build, 'src', 'x.js'), 'x');
  const path = join(dir, 'cache.shard');
  symlinkSync(build, join(dir, 'linked'));
  {
    using cache = openScripts(t, path, { root: join(dir, 'linked') });
    t.true(cache.save(file, code('x')));
    t.is(text(cache.load(join(dir, 'linked/src/x.js'))?.code), 'x');
  }
  t.deepEqual(openScripts(t, path).list(), [], 'stored relative to the root');
  renameSync(build, join(dir, 'app'));
  const cache = openScripts(t, path, { root: `${join(dir, 'app')}/` });
  t.is(text(cache.load(join(dir, 'app/src/x.js'))?.code), 'x');
  t.is(cache.list()[0]?.path, join(dir, 'app/src/x.js'));
});

test('an entry with an expiry is no longer found afterwards', async (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const file = source(join(dir, 'x.js'), 'x');
  const expiresAt = Date.now() + 400;
  t.true(cache.save(file, code('x'), { expiresAt }));
  const found = text(cache.load(file)?.code);
  if (Date.now() < expiresAt) t.is(found, 'x');
  while (Date.now() <= expiresAt) await new Promise((done) => setTimeout(done, 10));
  t.is(cache.load(file), undefined);
  t.true(cache.save(file, code('for good')));
  t.is(text(cache.load(file)?.code), 'for good');
  cache.put('/some/path', 1, 1, code('past'), { expiresAt: 1 });
  t.is(cache.get('/some/path', 1, 1), undefined);
  for (const expiresAt of [-1, Number.NaN, '1'])
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.save(file, code('x'), { expiresAt: expiresAt as never }));
  t.is(cache.evictStale(), 1);
});

test('flush and flushAsync can be called at any time', async (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const file = source(join(dir, 'x.js'), 'x');
  cache.flush();
  cache.save(file, code('x'));
  cache.flush();
  await cache.flushAsync();
  t.is(text(openScripts(t, cache.path).load(file)?.code), 'x');
});
