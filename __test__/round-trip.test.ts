// A server compiled everything again after a restart: what it had stored was found under another key, or not at all.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { type Inside, inChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

everyWay('what was put is found: at once, after reopening and after compaction', (t, way) => {
  const values = new Map(
    Array.from({ length: 300 }, (_, i) => [`key ${i}`, pattern(i * i, i)] as [string, Uint8Array]),
  );
  let shard = way.open();
  for (const [key, value] of values) shard.put(key, value);
  const check = (when: string) => {
    for (const [key, value] of values) same(t, shard.get(key), value, `${key} ${when}`);
    t.is(shard.get('another'), undefined);
    t.is(shard.size, values.size);
    t.true(shard.verify().ok);
  };
  check('at once');
  shard.close();
  shard = way.open();
  check('reopened');
  t.true(shard.compact().replaced);
  check('compacted');
  shard.close();
  shard = way.open();
  check('compacted and reopened');
});

everyWay('a value is a plain Uint8Array, whether lent, copied or empty', (t, way) => {
  const shard = way.open();
  shard.put('small', bytes('small'));
  shard.put('large', pattern(200_000, 1));
  shard.put('none', new Uint8Array());
  for (const key of ['small', 'large', 'none'])
    t.is(Object.getPrototypeOf(shard.get(key)), Uint8Array.prototype);
  t.is(shard.get('none')?.length, 0);
  t.true(shard.has('none'));
});

everyWay('the newest value of a key is found', (t, way) => {
  const shard = way.open();
  for (let i = 0; i < 2000; i++) shard.put(`key ${i % 7}`, pattern(i % 50, i));
  for (let i = 1993; i < 2000; i++) same(t, shard.get(`key ${i % 7}`), pattern(i % 50, i));
  t.is(shard.size, 7);
  t.is(way.open().size, 7);
});

everyWay('getMany returns values in the order of the keys', (t, way) => {
  const shard = way.open();
  for (let i = 0; i < 50; i++) shard.put(`key ${i}`, pattern(i * 10, i));
  const wanted = Array.from({ length: 120 }, (_, i) => `key ${(i * 7) % 60}`);
  const expected = wanted.map((key) => shard.get(key));
  t.deepEqual(shard.getMany(wanted), expected);
  t.is(expected.filter((value) => value === undefined).length, 20);
  t.deepEqual(shard.getMany([]), []);
  t.deepEqual(way.open().getMany(wanted), expected);
});

everyWay('getMany counts each key once', (t, way) => {
  const shard = way.open();
  for (let i = 0; i < 10; i++) shard.put(`key ${i}`, bytes(`${i}`));
  const fresh = way.open();
  fresh.getMany(Array.from({ length: 12 }, (_, i) => `key ${i}`));
  t.like(fresh.stats(), { hits: 10, misses: 2 });
});

everyWay('has says whether get would find something, and is not counted', (t, way) => {
  const shard = way.open();
  shard.put('key', bytes('value'));
  t.true(shard.has('key'));
  t.false(shard.has('other'));
  t.like(shard.stats(), { hits: 0, misses: 0 });
});

everyWay('delete says whether there was an entry', (t, way) => {
  const shard = way.open();
  t.false(shard.delete('key'));
  shard.put('key', bytes('value'));
  t.true(shard.delete('key'));
  t.false(shard.delete('key'));
  t.is(shard.get('key'), undefined);
  t.is(shard.size, 0);
  const again = way.open();
  t.is(again.get('key'), undefined);
  shard.put('key', bytes('new'));
  t.is(text(again.get('key')), 'new');
});

everyWay('clear drops all entries, and the shard stays usable', (t, way) => {
  const shard = way.open();
  for (let i = 0; i < 100; i++) shard.put(`key ${i}`, bytes(`${i}`));
  shard.clear();
  t.is(shard.size, 0);
  t.deepEqual([...shard.keys()], []);
  t.is(shard.get('key 1'), undefined);
  shard.put('key 1', bytes('new'));
  t.is(text(way.open().get('key 1')), 'new');
});

everyWay('info and list describe entries, newest first', (t, way) => {
  const before = Date.now();
  const shard = way.open({ host: { name: 'tool', version: '2.1', binary: false } });
  shard.put('first', bytes('12345'), { expiresAt: before + 60_000 });
  shard.put('second', bytes('1'));
  const info = shard.info('first');
  t.like(info, {
    key: 'first',
    bytes: 5,
    parts: { '': 5 },
    host: { name: 'tool', version: '2.1' },
    current: true,
    expiresAt: before + 60_000,
    racy: false,
  });
  t.is(info?.validator, undefined);
  t.true(Math.abs((info?.cachedAt.getTime() ?? 0) - before) < 10_000);
  t.true((info?.lastUsedAt.getTime() ?? 0) >= (info?.cachedAt.getTime() ?? 0));
  t.true((info?.generation ?? 0) > 0);
  t.is(shard.info('other'), undefined);
  t.deepEqual(
    shard.list().map((entry) => entry.key),
    ['second', 'first'],
  );
  const { lastUsedAt: _, ...rest } = shard.list()[1] ?? { lastUsedAt: 0 };
  const { lastUsedAt: __, ...alone } = info ?? { lastUsedAt: 0 };
  t.deepEqual(rest, alone);
});

// The time of a put must not be rounded up to the next millisecond while the time of its use is not.
test('the last use of an entry is never before its put', (t) => {
  const shard = Shard.open(shardPath(t));
  const early: number[] = [];
  for (let i = 0; i < 40_000; i++) {
    shard.put('key', bytes('1'));
    const info = shard.info('key');
    if (info === undefined || info.lastUsedAt < info.cachedAt) early.push(i);
  }
  t.deepEqual(early, []);
});

everyWay('the generation rises with every change, and only then', (t, way) => {
  const shard = way.open();
  const other = way.open();
  const changes: (() => void)[] = [
    () => shard.put('a', bytes('1')),
    () => shard.put('a', bytes('1')),
    () => shard.mergeIn([['b', bytes('2')]]),
    () => shard.delete('a'),
    () => shard.replaceAll([['c', bytes('3')]]),
    () => shard.clear(),
  ];
  for (const change of changes) {
    const before = shard.generation;
    change();
    t.true(shard.generation > before, String(change));
    t.is(other.generation, shard.generation);
  }
  const settled = shard.generation;
  shard.get('a');
  shard.has('a');
  shard.delete('a');
  shard.mergeIn([]);
  shard.verify();
  shard.flush();
  t.is(shard.generation, settled);
});

everyWay('stats count the calls of this handle', (t, way) => {
  const shard = way.open();
  shard.put('a', pattern(1000, 1));
  shard.put('b', pattern(1000, 2), { validator: bytes('v') });
  shard.put('a', pattern(1000, 3));
  shard.get('a');
  shard.get('b', bytes('w'));
  shard.get('c');
  shard.delete('a');
  shard.flush();
  const stats = shard.stats();
  t.like(stats, { entries: 1, hits: 1, stale: 1, misses: 1, corrupt: 0, puts: 3, deletes: 1, flushes: 1 });
  t.is(stats.rejected, undefined);
  t.false('rejected' in stats);
  t.true(stats.fileBytes > 3000 && stats.liveBytes > 1000 && stats.deadBytes > 2000);
  t.is(stats.generation, shard.generation);
  t.is(stats.mapped, way.name !== 'read');
  shard.compact();
  t.like(shard.stats(), { compactions: 1, entries: 1 });
  t.true(shard.stats().deadBytes < 1000);
});

everyWay("two handles in one process see each other's changes, like two processes", (t, way) => {
  const one = way.open();
  const two = way.open();
  for (let i = 0; i < 700; i++) {
    one.put('a', pattern(i, 1));
    same(t, two.get('a'), pattern(i, 1));
    two.put('b', pattern(i, 2));
    same(t, one.get('b'), pattern(i, 2));
  }
  two.compact();
  same(t, one.get('a'), pattern(699, 1));
});

test('a path is made absolute, and its folders are created', (t) => {
  const dir = folder(t);
  const path = join(dir, 'x', 'y', 'cache.shard');
  using shard = Shard.open(`${dir}/x/./z/../y/cache.shard`);
  t.is(shard.path, resolve(path));
  t.false(shard.readOnly);
  t.is(shard.size, 0);
  t.is(shard.generation, 0);
  t.false(existsSync(path));
  shard.put('a', bytes('1'));
  t.true(existsSync(path));
});

test('WARMSHARD_COPY=1 has the same effect as the option copy', async (t) => {
  const path = shardPath(t);
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    const shard = Shard.open(path);
    const put = new Uint8Array(300_000).fill(7);
    shard.put('key', put);
    const one = shard.get('key');
    one?.fill(8);
    return [shard.get('key')?.[0], one?.buffer === shard.get('key')?.buffer];
  };
  t.deepEqual(await inChild(t, body, path, { env: { WARMSHARD_COPY: '1' } }), [7, false]);
  t.deepEqual(await inChild(t, body, path, { env: { WARMSHARD_COPY: '' } }), [8, true]);
});
