// After an update of Keyv a program's cache on disk was empty, then wrong, and then it emptied the cache of another program.

import test from 'ava';
import { Shard } from 'warmshard';
import { KeyvShard, type KeyvShardOptions } from 'warmshard/keyv';
import { pattern } from './helpers/bytes.js';
import { inChild } from './helpers/child.js';
import { shardPath } from './helpers/folder.js';
import { type AnyKeyv, versions } from './helpers/keyv.js';

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function entries(keyv: AnyKeyv): Promise<[string, unknown][]> {
  const all: [string, unknown][] = [];
  for await (const entry of keyv.iterator()) all.push(entry);
  return all.sort();
}

for (const [version, Keyv] of Object.entries(versions)) {
  test(`${version}: what is set comes back, in this process and after reopening`, async (t) => {
    const path = shardPath(t);
    const values: Record<string, unknown> = {
      text: 'héllo \u2028\ud83d\ude00',
      colon: ':base64:not',
      empty: '',
      nothing: null,
      number: -0.5,
      bytes: Buffer.from(pattern(3000, 1)),
      nested: { list: [1, { deep: Buffer.from([0, 255]) }], date: '2026-01-01' },
    };
    const keyv = new Keyv({ store: new KeyvShard(path) });
    for (const [key, value] of Object.entries(values)) t.is(await keyv.set(key, value), true);
    for (const [key, value] of Object.entries(values)) t.deepEqual(await keyv.get(key), value, key);
    await keyv.disconnect();
    const again = new Keyv({ store: new KeyvShard(path, { readOnly: true }) });
    t.teardown(() => again.disconnect());
    const keys = Object.keys(values);
    t.deepEqual(await again.get([...keys, 'absent']), [...Object.values(values), undefined]);
  });

  test(`${version}: plain values and Buffers come back without a serialiser`, async (t) => {
    const bare = { serialize: undefined, deserialize: undefined, serialization: false };
    const asIs = { serialize: (data: unknown) => data, deserialize: (data: unknown) => data };
    const store = new KeyvShard(shardPath(t));
    const keyv = new Keyv({ store, ...(version === 'Keyv 4' ? asIs : bare) });
    t.teardown(() => keyv.disconnect());
    const value = { map: new Map([[1n, new Date(7)]]), bytes: Buffer.from([1, 2, 3]), set: new Set(['a']) };
    await keyv.set('a', value);
    t.deepEqual(await keyv.get('a'), value);
  });

  test(`${version}: an entry lives as long as its ttl, also by the shard's own clock`, async (t) => {
    const store = new KeyvShard(shardPath(t));
    const keyv = new Keyv({ store, ttl: 7_200_000 });
    t.teardown(() => keyv.disconnect());
    const before = Date.now();
    await keyv.set('short', 1, 1);
    await keyv.set('long', 2, 3_600_000);
    await keyv.set('default', 3);
    await keyv.set('ever', 4, 0);
    await keyv.setMany?.([{ key: 'many', value: 5, ttl: 3_600_000 }]);
    await sleep(5);
    t.deepEqual(await keyv.get(['short', 'long', 'default', 'ever']), [undefined, 2, 3, 4]);
    const expiry = new Map(
      store.shard.list().map(({ key, expiresAt }) => [key.replace(/^.*:/, ''), expiresAt]),
    );
    for (const [key, ttl] of [
      ['long', 3_600_000],
      ['default', 7_200_000],
      ...(keyv.setMany === undefined ? [] : [['many', 3_600_000] as const]),
    ] as const) {
      const left = (expiry.get(key) as number) - before - ttl;
      t.true(left >= 0 && left <= Date.now() - before, `${key}: ${left} ms`);
    }
    t.is(await store.shard.has([...store.shard.keys()].find((key) => key.endsWith('ever')) as string), true);
  });

  test(`${version}: clearing one namespace leaves the others, whatever their names`, async (t) => {
    const shard = Shard.open(shardPath(t));
    t.teardown(() => shard.close());
    const names = [
      'a',
      'ab',
      'b',
      '%',
      '_',
      '*',
      '[a]',
      'ä€😀',
      "'; drop",
      'two words',
      'line\nbreak',
      '../up',
      '__proto__',
    ];
    const keyvs = names.map((namespace) => new Keyv({ store: new KeyvShard(shard), namespace }));
    for (const [i, keyv] of keyvs.entries()) {
      await keyv.set('key', names[i]);
      await keyv.set('x:key', i);
    }
    for (const [i, keyv] of keyvs.entries()) {
      t.deepEqual(
        await entries(keyv),
        [
          ['key', names[i]],
          ['x:key', i],
        ],
        names[i],
      );
    }
    for (const [i, keyv] of keyvs.entries()) {
      await keyv.clear();
      for (const [k, other] of keyvs.entries())
        t.is(await other.get('key'), k <= i ? undefined : names[k], `${names[k]} after clear of ${names[i]}`);
    }
    t.is(shard.size, 0);
  });

  test(`${version}: clear without a namespace empties the shard`, async (t) => {
    const store = new KeyvShard(shardPath(t));
    // For Keyv 4 this is a namespace like any other.
    const keyv = new Keyv({ store, namespace: undefined });
    t.teardown(() => keyv.disconnect());
    await keyv.set('a', 1);
    store.shard.put('of somebody else', Buffer.from('x'));
    await keyv.clear();
    t.is(await keyv.get('a'), undefined);
    t.is(store.shard.size, 0);
  });

  test(`${version}: another process sees at once what was set, deleted and cleared`, async (t) => {
    const path = shardPath(t);
    const keyv = new Keyv({ store: new KeyvShard(path), namespace: 'n' });
    t.teardown(() => keyv.disconnect());
    await keyv.set('mine', { from: 'parent' });
    await keyv.set('gone', 1);
    const name = { 'Keyv 4': 'keyv4', 'Keyv 5': 'keyv', 'Keyv 6': 'keyv6' }[version] as string;
    const seen = await inChild(
      t,
      async (_, [keyvPath, adapterPath, file]) => {
        const loaded = require(keyvPath as string);
        const { KeyvShard } = require(adapterPath as string);
        const other = new (loaded.Keyv ?? loaded)({ store: new KeyvShard(file), namespace: 'n' });
        const mine = await other.get('mine');
        await other.set('theirs', { from: 'child' });
        await other.delete('gone');
        return mine;
      },
      [require.resolve(name), require.resolve('warmshard/keyv'), path],
    );
    t.deepEqual(seen, { from: 'parent' });
    t.deepEqual(await keyv.get('theirs'), { from: 'child' });
    t.is(await keyv.get('gone'), undefined);
    t.deepEqual(await entries(keyv), [
      ['mine', { from: 'parent' }],
      ['theirs', { from: 'child' }],
    ]);
  });

  test(`${version}: set, delete, has and setMany return what they did`, async (t) => {
    const keyv = new Keyv({ store: new KeyvShard(shardPath(t)) });
    t.teardown(() => keyv.disconnect());
    const many = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ];
    if (keyv.setMany === undefined) for (const { key, value } of many) await keyv.set(key, value);
    else t.deepEqual(await keyv.setMany(many), [true, true]);
    t.is(await keyv.has('a'), true);
    t.is(await keyv.has('absent'), false);
    t.is(await keyv.delete('a'), true);
    t.is(await keyv.delete('a'), false);
    t.deepEqual([await keyv.delete(['b', 'absent'])].flat()[0], true);
    t.deepEqual([await keyv.delete(['b', 'absent'])].flat()[0], false);
  });

  test(`${version}: an error of the shard is reported, and does not end the program`, async (t) => {
    const path = shardPath(t);
    new KeyvShard(path).shard.close();
    Shard.open(path).put('a', Buffer.from('b'));
    const options: KeyvShardOptions = { readOnly: true };
    const keyv = new Keyv({ store: new KeyvShard(path, options) });
    t.teardown(() => keyv.disconnect());
    const heard: unknown[] = [];
    keyv.on('error', (error) => heard.push((error as { code?: unknown }).code));
    // Keyv 4 rejects; later versions emit an error and return that nothing was set.
    const set = await keyv.set('key', 1).catch((error: { code: unknown }) => heard.push(error.code) && false);
    t.is(set, false);
    t.deepEqual(heard, ['ERR_READ_ONLY']);
  });
}

test('Keyv 4 and 5 find what the other version has set', async (t) => {
  const shard = Shard.open(shardPath(t));
  t.teardown(() => shard.close());
  const [four, five] = ['Keyv 4', 'Keyv 5'].map(
    (version) => new (versions[version] as (typeof versions)[string])({ store: new KeyvShard(shard) }),
  ) as [AnyKeyv, AnyKeyv];
  await four.set('a', { by: 4 });
  await five.set('b', { by: 5, bytes: Buffer.from('x') });
  t.deepEqual(await five.get('a'), { by: 4 });
  t.deepEqual(await four.get('b'), { by: 5, bytes: Buffer.from('x') });
});
