// After a power cut the cache had lost what it had stored, and the program could not have known that it might.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

everyWay('durability() says what is pending until flush', async (t, way) => {
  const shard = way.open();
  t.deepEqual(shard.durability(), { pendingEntries: 0, pendingBytes: 0, durable: true });
  shard.put('a', pattern(1000, 1));
  shard.put('b', pattern(1000, 2));
  const pending = shard.durability();
  t.false(pending.durable);
  t.is(pending.pendingEntries, 2);
  t.true(pending.pendingBytes > 2000);
  t.deepEqual(way.open().durability(), pending, 'another handle reports the same');
  shard.flush();
  t.deepEqual(shard.durability(), { pendingEntries: 0, pendingBytes: 0, durable: true });
  shard.mergeIn([
    ['c', bytes('c')],
    ['d', bytes('d')],
    ['e', bytes('e')],
  ]);
  t.true(shard.durability().pendingEntries >= 3);
  await way.open().flushAsync();
  t.true(shard.durability().durable);
  shard.delete('c');
  t.false(shard.durability().durable);
  shard.compact();
  t.true(shard.durability().durable, 'compaction is durable');
  shard.replaceAll([['f', bytes('f')]]);
  t.true(shard.durability().durable, 'replaceAll is durable');
});

everyWay("with durability 'sync' nothing is ever pending", (t, way) => {
  const shard = way.open({ durability: 'sync' });
  const durable = () =>
    t.deepEqual(shard.durability(), { pendingEntries: 0, pendingBytes: 0, durable: true });
  shard.put('a', bytes('a'));
  durable();
  shard.mergeIn([['b', bytes('b')]]);
  durable();
  shard.delete('a');
  durable();
  shard.clear();
  durable();
});

test('flushing an empty or read-only shard has no effect', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  shard.flush();
  await shard.flushAsync();
  shard.put('a', bytes('a'));
  using reader = Shard.open(path, { readOnly: true });
  reader.flush();
  t.false(reader.durability().durable);
  t.is(text(reader.get('a')), 'a');
});
