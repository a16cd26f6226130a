// A token was served after it had expired, and every request of the morning was refused.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

everyWay('an entry is no longer found once it has expired', async (t, way) => {
  const shard = way.open();
  const expiresAt = Date.now() + 400;
  shard.put('short', bytes('value'), { expiresAt });
  shard.mergeIn([{ key: 'batch', value: bytes('value'), expiresAt }]);
  shard.put('long', bytes('value'), { expiresAt: Date.now() + 3_600_000 });
  shard.put('for ever', bytes('value'));
  const found = shard.getMany(['short', 'batch']).map((value) => text(value));
  if (Date.now() < expiresAt) t.deepEqual(found, ['value', 'value']);
  while (Date.now() <= expiresAt) await new Promise((done) => setTimeout(done, 10));
  for (const handle of [shard, way.open()]) {
    for (const key of ['short', 'batch']) {
      t.is(handle.get(key), undefined);
      t.is(handle.getParts(key), undefined);
      t.false(handle.has(key));
    }
    t.deepEqual(handle.getMany(['short', 'long', 'batch']).map(text), [undefined, 'value', undefined]);
    t.deepEqual(
      [...handle.entries()].map(([key]) => key),
      ['long', 'for ever'],
    );
    t.like(handle.stats(), { stale: 0 });
  }
  t.is(shard.evictStale(), 2);
  t.is(shard.size, 2);
});

everyWay('an expiry may lie in the past or far in the future', (t, way) => {
  const shard = way.open();
  for (const expiresAt of [0, 0.5, 1, Date.now() - 1]) {
    shard.put('key', bytes('value'), { expiresAt });
    t.is(shard.get('key'), undefined, `${expiresAt}`);
  }
  for (const expiresAt of [Date.now() + 1e6, 8.64e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]) {
    shard.put('key', bytes('value'), { expiresAt });
    t.is(text(shard.get('key')), 'value', `${expiresAt}`);
  }
});

test('a new put removes an old expiry, and compaction drops expired entries', (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('key', bytes('old'), { expiresAt: 1 });
  shard.put('key', bytes('new'));
  shard.put('gone', bytes('gone'), { expiresAt: 1 });
  t.like(shard.compact(), { kept: 1, expired: 1, evicted: 0, corrupt: 0, replaced: true });
  t.is(text(shard.get('key')), 'new');
  t.is(shard.size, 1);
});
