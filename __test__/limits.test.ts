// A cache grew for two years and filled the disk of a build machine.

import { statSync } from 'node:fs';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { FOR_EVER } from './helpers/patience.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

everyWay('a value larger than maxEntryBytes is refused, and the old value stays', async (t, way) => {
  const shard = way.open({ maxEntryBytes: 1000 });
  shard.put('key', pattern(1000, 1));
  const large = pattern(1001, 2);
  throwsCode(t, 'ERR_TOO_LARGE', () => shard.put('key', large));
  throwsCode(t, 'ERR_TOO_LARGE', () =>
    shard.mergeIn([
      ['other', bytes('x')],
      ['key', large],
    ]),
  );
  throwsCode(t, 'ERR_TOO_LARGE', () => shard.replaceAll([['key', large]]));
  await rejectsCode(t, 'ERR_TOO_LARGE', () => shard.mergeInAsync([['key', large]]));
  same(t, shard.get('key'), pattern(1000, 1));
  t.is(shard.size, 1);
  // The limit applies to writing, not to reading.
  way.open().put('key', large);
  same(t, shard.get('key'), large);
});

test('maxEntryBytes counts all parts of a value', (t) => {
  using shard = Shard.open<Record<string, Uint8Array>>(shardPath(t), {
    parts: ['a', 'b'],
    maxEntryBytes: 1000,
  });
  shard.put('key', { a: pattern(400, 1), b: pattern(600, 2) });
  throwsCode(t, 'ERR_TOO_LARGE', () => shard.put('key', { a: pattern(500, 1), b: pattern(501, 2) }));
});

everyWay(
  'the file shrinks below maxBytes by itself, and the least recently used entries go first',
  (t, way) => {
    const maxBytes = 256 << 10;
    const shard = way.open({ maxBytes });
    for (let i = 0; i < 400; i++) shard.put(`${i}`, pattern(4000, i));
    t.true(statSync(way.path).size <= 2 * maxBytes + 8192, `${statSync(way.path).size}`);
    shard.compact();
    t.true(statSync(way.path).size <= maxBytes);
    t.true(shard.size >= 30);
    same(t, shard.get('399'), pattern(4000, 399));
    t.is(shard.get('0'), undefined);
  },
);

test('automatic compaction can be switched off', (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path, { maxBytes: 64 << 10, autoCompact: false });
  for (let i = 0; i < 1000; i++) shard.put('key', pattern(2000, i));
  t.true(statSync(path).size > 2_000_000);
  const report = shard.compact();
  t.like(report, { kept: 1, replaced: true });
  t.true(report.bytesAfter < 16_384 && report.bytesBefore > 2_000_000);
  t.is(statSync(path).size, report.bytesAfter);
});

test('putting one key again and again does not make the file grow for ever', (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  const value = pattern(20_000, 1);
  let [largest, size] = [0, 0];
  // Another thread compacts the file. On a busy machine it may take a while until it runs.
  const until = Date.now() + FOR_EVER;
  while (size >= largest && Date.now() < until) {
    for (let i = 0; i < 20; i++) shard.put('key', value);
    size = statSync(path).size;
    largest = Math.max(largest, size);
  }
  shard.close();
  t.true(size < largest, `${largest}`);
  t.true(shard.path === path);
});
