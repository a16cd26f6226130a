// A dashboard showed that nothing had been stored, because work off the event loop was not counted.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { FOR_EVER } from './helpers/patience.js';

test('work off the event loop is counted on the handle that started it', async (t) => {
  using shard = Shard.open(shardPath(t));
  await shard.mergeInAsync([['a', bytes('1')], { key: 'b', value: bytes('2'), expiresAt: 1 }]);
  await shard.evictStaleAsync();
  await shard.compactAsync();
  shard.put('c', bytes('3'));
  await shard.flushAsync();
  const { puts, evictions, compactions, flushes, hits } = shard.stats();
  t.deepEqual(
    { puts, evictions, compactions, flushes, hits },
    { puts: 3, evictions: 1, compactions: 1, flushes: 1, hits: 0 },
  );
});

test('automatic compaction is counted on the handle that started it', async (t) => {
  using shard = Shard.open(shardPath(t));
  const value = new Uint8Array(100_000);
  for (let i = 0; i < 40; i++) shard.put('key', value);
  const until = Date.now() + FOR_EVER;
  while (shard.stats().compactions === 0 && Date.now() < until)
    await new Promise((done) => setTimeout(done, 10));
  t.true(shard.stats().compactions >= 1);
});

test('look-ups are counted on their own handle only', (t) => {
  const path = shardPath(t);
  using one = Shard.open(path);
  using other = Shard.open(path);
  one.put('a', bytes('1'));
  other.get('a');
  other.get('b');
  t.is(one.stats().hits, 0);
  t.is(other.stats().hits, 1);
  t.is(other.stats().misses, 1);
});
