// A full disk, a process that hung, a read-only home folder: each made a program fail that could have done without a cache.

import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ScriptCache } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { holdLock, locked } from './helpers/lock.js';
import { atBest } from './helpers/patience.js';
import { code, HOST, openScripts, source } from './helpers/scripts.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

locked(
  'while another process holds the lock, save returns false in bounded time, and load still works',
  async (t) => {
    const dir = realpathSync(folder(t));
    const path = join(dir, 'cache.shard');
    const cache = openScripts(t, path, { lockTimeout: 150 });
    const [a, b] = ['a.js', 'b.js'].map((name) => source(join(dir, name), name)) as [string, string];
    cache.save(a, code('of a'));
    const release = await holdLock(t, path);
    let tries = 0;
    const took = await atBest(2000, () => {
      tries++;
      t.false(cache.save(b, code('of b')));
      cache.put(b, 1_600_000_000, 0, code('of b'));
    });
    t.true(took >= 290 && took < 2000, `${took} ms`);
    t.like(cache.stats(), {
      saves: 1,
      skippedSaves: 2 * tries,
      lockTimeouts: 2 * tries,
      changedSources: 0,
    });
    t.regex(cache.stats().lastSkip ?? '', /150 ms/);
    t.is(text(cache.load(a)?.code), 'of a');
    throwsCode(t, 'ERR_LOCK_TIMEOUT', () => cache.clear());
    const impatient = openScripts(t, path, { lockTimeout: 0 });
    t.false(impatient.save(b, code('of b')));
    const byDefault = openScripts(t, path);
    const second = await atBest(1500, () => t.false(byDefault.save(b, code('of b'))));
    t.true(Math.abs(second - 1000) < 500, `the default is one second: ${second} ms`);
    await release();
    t.true(cache.save(b, code('of b')));
    t.is(text(impatient.load(b)?.code), 'of b');
  },
);

test('a read-only cache skips saves', async (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const file = source(join(dir, 'x.js'), 'x');
  openScripts(t, path).save(file, code('x'));
  const cache = openScripts(t, path, { readOnly: true });
  t.true(cache.readOnly);
  t.is(cache.path, path);
  t.is(text(cache.load(file)?.code), 'x');
  t.false(cache.save(file, code('y')));
  cache.put(file, 1, 1, code('y'));
  t.like(cache.stats(), { saves: 0, skippedSaves: 2, entries: 1 });
  throwsCode(t, 'ERR_READ_ONLY', () => cache.clear());
  throwsCode(t, 'ERR_READ_ONLY', () => cache.evictStale());
  await rejectsCode(t, 'ERR_READ_ONLY', () => cache.evictStaleAsync());
});

test('an entry that is too large is skipped', (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'), { maxEntryBytes: 100 });
  const file = source(join(dir, 'x.js'), 'x');
  t.false(cache.save(file, { code: new Uint8Array(101) }));
  t.true(cache.save(file, { code: new Uint8Array(100) }));
  t.like(cache.stats(), { saves: 1, skippedSaves: 1, entries: 1, bytes: 100 });
});

test('wrong arguments throw, and are not counted', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const cache = openScripts(t, path);
  const file = source(join(dir, 'x.js'), 'x');
  const wrongParts = [
    undefined,
    null,
    1,
    'x',
    {},
    bytes('x'),
    { code: 'x' },
    { code: [1] },
    { code: undefined },
  ];
  for (const parts of [...wrongParts, { code: bytes('x'), more: bytes('y') }, { other: bytes('x') }]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.save(file, parts as never), JSON.stringify(parts));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.save(join(dir, 'gone'), parts as never));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(file, 1, 1, parts as never));
  }
  for (const name of [undefined, null, 1, {}, [file], Symbol('x'), new String(file)]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.load(name as never));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.save(name as never, code('x')));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.get(name as never, 1, 1));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(name as never, 1, 1, code('x')));
  }
  for (const [sec, nsec] of [
    [1.5, 0],
    [1, -1],
    [1, 1e9],
    ['1', 0],
    [Number.NaN, 0],
  ] as [number, number][]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.get(file, sec, nsec));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(file, sec, nsec, code('x')));
  }
  throwsCode(t, 'ERR_INVALID_KEY', () => cache.put('', 1, 1, code('x')));
  t.like(cache.stats(), { entries: 0, saves: 0, skippedSaves: 0, misses: 0 });
  const open = (options: object) => ScriptCache.open(path, { host: HOST, ...options } as never);
  for (const options of [
    { parts: [] },
    { parts: 'code' },
    { parts: ['a', 'a'] },
    { validate: 'size' },
    { lockTimeout: -1 },
    { root: 'relative' },
    { readOnly: 1 },
    { maxBytes: 1 },
  ])
    throwsCode(t, 'ERR_INVALID_ARG', () => open(options), JSON.stringify(options));
});

test('every method of a closed cache throws ERR_CLOSED, whatever the source', async (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const file = source(join(dir, 'x.js'), 'x');
  cache.save(file, code('x'));
  const kept = cache.load(file);
  t.false(cache.closed);
  cache.close();
  cache.close();
  cache[Symbol.dispose]();
  t.true(cache.closed);
  const uses: Record<string, () => unknown> = {
    load: () => cache.load(file),
    'load of nothing': () => cache.load(join(dir, 'gone')),
    save: () => cache.save(file, code('x')),
    'save of nothing': () => cache.save(join(dir, 'gone'), code('x')),
    get: () => cache.get(file, 1, 1),
    put: () => cache.put(file, 1, 1, code('x')),
    stats: () => cache.stats(),
    list: () => cache.list(),
    evictStale: () => cache.evictStale(),
    clear: () => cache.clear(),
    flush: () => cache.flush(),
  };
  for (const [name, use] of Object.entries(uses)) throwsCode(t, 'ERR_CLOSED', use, name);
  await rejectsCode(t, 'ERR_CLOSED', () => cache.flushAsync());
  await rejectsCode(t, 'ERR_CLOSED', () => cache.evictStaleAsync());
  t.is(text(kept?.code), 'x', 'what it returned stays valid');
});
