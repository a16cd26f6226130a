// A build that wrote a thousand artifacts one by one was cancelled; the next run took half of them for all of them.

import test from 'ava';
import { type Entry, Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

type Item = [string, Uint8Array] | Entry<Uint8Array>;
const items = (count: number, seed = 0): Item[] =>
  Array.from({ length: count }, (_, i) => [`${i}`, pattern(i % 300, i + seed)]);

everyWay('mergeIn adds and replaces entries, with one publish', (t, way) => {
  const shard = way.open();
  shard.put('kept', bytes('kept'));
  shard.put('0', bytes('old'));
  const before = shard.generation;
  t.is(shard.mergeIn(items(2000)), 2000);
  t.is(shard.generation, before + 1);
  for (const handle of [shard, way.open()]) {
    t.is(handle.size, 2001);
    t.is(text(handle.get('kept')), 'kept');
    for (let i = 0; i < 2000; i += 37) same(t, handle.get(`${i}`), pattern(i % 300, i));
  }
});

everyWay('replaceAll leaves exactly what it was given', (t, way) => {
  const shard = way.open();
  shard.put('gone', bytes('gone'));
  t.is(shard.replaceAll(items(500)), 500);
  t.is(shard.get('gone'), undefined);
  t.is(shard.size, 500);
  t.is(shard.replaceAll(new Map([['only', bytes('1')]])), 1);
  t.deepEqual([...shard.keys()], ['only']);
  t.is(shard.replaceAll([]), 0);
  t.is(shard.size, 0);
});

everyWay('a batch of megabytes takes values from every kind of memory', (t, way) => {
  const shared = new Uint8Array(new SharedArrayBuffer(4096));
  shared.set(pattern(4096, 1));
  const pool = pattern(9000, 2);
  const kept = new Uint8Array(new ArrayBuffer(4096, { maxByteLength: 8192 }));
  kept.set(pattern(4096, 3));
  const value = (i: number): Uint8Array => {
    if (i % 5 === 0) return pattern(i % 300, i);
    if (i % 5 === 1) return shared;
    if (i % 5 === 2) return pool.subarray(i % 4000, (i % 4000) + 4999);
    return i % 5 === 3 ? kept : pattern(255 + (i % 3000), i);
  };
  const entries = Array.from({ length: 3000 }, (_, i): [string, Uint8Array] => [`key ${i}`, value(i)]);
  const shard = way.open();
  t.is(shard.mergeIn(entries), entries.length);
  const check = (handle: Shard) => {
    for (const [key, bytes] of entries) same(t, handle.get(key), bytes);
  };
  check(shard);
  // Values from the shard's own memory.
  t.is(shard.replaceAll(entries.map(([key]) => [key, shard.get(key) as Uint8Array])), entries.length);
  check(shard);
  check(way.open());
  t.true(shard.verify().ok);
});

everyWay('the asynchronous forms do the same', async (t, way) => {
  const shard = way.open();
  t.is(await shard.mergeInAsync(items(1000)), 1000);
  t.is(shard.size, 1000);
  same(t, shard.get('299'), pattern(299, 299));
  t.is(await shard.replaceAllAsync(items(10, 5)), 10);
  t.is(shard.size, 10);
  same(t, shard.get('9'), pattern(9, 14));
  t.is(await shard.mergeInAsync([]), 0);
  t.is(await shard.replaceAllAsync([]), 0);
  t.is(shard.size, 0);
});

everyWay('of several entries with one key the last one counts, in every form', async (t, way) => {
  const shard = way.open();
  const batch = (name: string): Item[] => [
    ['key', bytes('first')],
    { key: 'key', value: bytes('second'), expiresAt: 1 },
    ['key', bytes(name)],
  ];
  t.is(shard.mergeIn(batch('merged')), 3);
  t.is(text(shard.get('key')), 'merged');
  t.is(shard.size, 1);
  t.is(shard.replaceAll(batch('replaced')), 3);
  t.is(text(shard.get('key')), 'replaced');
  t.is(await shard.mergeInAsync(batch('later')), 3);
  t.is(text(shard.get('key')), 'later');
  t.is(shard.size, 1);
});

everyWay('a batch can be any kind of iterable, with both kinds of entries', (t, way) => {
  const shard = way.open();
  t.is(shard.mergeIn(new Map([['map', bytes('1')]])), 1);
  t.is(shard.mergeIn(new Set([['set', bytes('2')] as [string, Uint8Array]])), 1);
  t.is(
    shard.mergeIn(
      (function* (): Iterable<Item> {
        yield ['generator', bytes('3')];
        yield { key: 'object', value: bytes('4'), validator: bytes('v'), expiresAt: Date.now() + 1e6 };
      })(),
    ),
    2,
  );
  t.deepEqual([...shard.keys()], ['map', 'set', 'generator', 'object']);
  t.is(shard.get('object', bytes('w')), undefined);
  t.is(text(shard.get('object', bytes('v'))), '4');
  t.is(shard.mergeIn(shard.entries()), 4, 'even its own entries');
});

everyWay('an empty batch writes nothing', (t, way) => {
  const shard = way.open();
  t.is(shard.mergeIn([]), 0);
  t.is(shard.generation, 0);
});

everyWay('a batch with one bad entry stores nothing at all', async (t, way) => {
  const shard = way.open();
  shard.put('kept', bytes('kept'));
  const before = shard.generation;
  const bad: [unknown, 'ERR_INVALID_KEY' | 'ERR_INVALID_ARG'][] = [
    [['', bytes('x')], 'ERR_INVALID_KEY'],
    [['\ud800', bytes('x')], 'ERR_INVALID_KEY'],
    [['x'.repeat(5000), bytes('x')], 'ERR_INVALID_KEY'],
    [[5, bytes('x')], 'ERR_INVALID_KEY'],
    [['key'], 'ERR_INVALID_ARG'],
    [['key', 'text'], 'ERR_INVALID_ARG'],
    [['key', [bytes('x')]], 'ERR_INVALID_ARG'],
    [{ key: 'key', value: bytes('x'), expiresAt: Number.NaN }, 'ERR_INVALID_ARG'],
    [{ key: 'key', value: bytes('x'), validator: new Uint8Array(65) }, 'ERR_INVALID_ARG'],
    [{ key: 'key', value: bytes('x'), validator: null }, 'ERR_INVALID_ARG'],
    [{ value: bytes('x') }, 'ERR_INVALID_KEY'],
    [null, 'ERR_INVALID_ARG'],
    [undefined, 'ERR_INVALID_ARG'],
    ['text', 'ERR_INVALID_ARG'],
    [5, 'ERR_INVALID_ARG'],
  ];
  for (const [entry, code] of bad) {
    const batch = [...items(100), entry as Item, ...items(100)];
    const what = JSON.stringify(entry)?.slice(0, 50);
    throwsCode(t, code, () => shard.mergeIn(batch), what);
    throwsCode(t, code, () => shard.replaceAll(batch), what);
    await rejectsCode(t, code, () => shard.mergeInAsync(batch), what);
    await rejectsCode(t, code, () => shard.replaceAllAsync(batch), what);
  }
  t.is(shard.size, 1);
  t.is(shard.generation, before);
  t.is(text(shard.get('kept')), 'kept');
  t.true(shard.verify().ok);
});

test('values are copied before mergeInAsync returns', async (t) => {
  using shard = Shard.open(shardPath(t));
  const value = pattern(10_000, 1);
  const work = shard.mergeInAsync([['key', value]]);
  value.fill(0);
  await work;
  same(t, shard.get('key'), pattern(10_000, 1));
});
