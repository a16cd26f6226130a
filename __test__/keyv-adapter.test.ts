// A cache was put behind the interface of another library, and then nobody handled its errors, its damage or its closing.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { Shard, type WarmshardError } from 'warmshard';
import { KeyvShard } from 'warmshard/keyv';
import { pattern } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point
const wrong = (value: unknown) => value as any;

async function entries(store: KeyvShard, namespace?: string): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const entry of store.iterator(namespace)) all.push(entry);
  return all;
}

test('wrong arguments are refused', async (t) => {
  const path = shardPath(t);
  for (const shard of [undefined, null, 1, {}, '', 'a\0b', Buffer.from(path)])
    throwsCode(t, 'ERR_INVALID_ARG', () => new KeyvShard(wrong(shard)), String(shard));
  for (const options of [
    null,
    1,
    'x',
    { codec: 'json' },
    { parts: ['a'] },
    { maxBytes: -1 },
    { readOnly: 1 },
  ])
    throwsCode(t, 'ERR_INVALID_ARG', () => new KeyvShard(path, wrong(options)), JSON.stringify(options));
  const store = new KeyvShard(path);
  t.teardown(() => store.disconnect());
  throwsCode(t, 'ERR_INVALID_ARG', () => new KeyvShard(store.shard, {}));
  for (const key of [undefined, null, 1, '', '\ud800', 'k'.repeat(4095), 'ä'.repeat(2048)]) {
    for (const call of [
      () => store.get(wrong(key)),
      () => store.getMany([wrong(key)]),
      () => store.set(wrong(key), 'v'),
      () =>
        store.setMany([
          { key: 'fine', value: 'v' },
          { key: wrong(key), value: 'v' },
        ]),
      () => store.delete(wrong(key)),
      () => store.deleteMany([wrong(key)]),
      () => store.has(wrong(key)),
      () => store.hasMany([wrong(key)]),
    ])
      await rejectsCode(t, 'ERR_INVALID_KEY', call, `${call} ${String(key).slice(0, 10)}`);
  }
  for (const ttl of ['1', {}, true, 1n])
    await rejectsCode(t, 'ERR_INVALID_ARG', () => store.set('key', 'v', wrong(ttl)), String(ttl));
  for (const many of [undefined, null, 'keys', 5, { length: 1 }]) {
    await rejectsCode(t, 'ERR_INVALID_ARG', () => store.getMany(wrong(many)));
    await rejectsCode(t, 'ERR_INVALID_ARG', () => store.setMany(wrong(many)));
    await rejectsCode(t, 'ERR_INVALID_ARG', () => store.deleteMany(wrong(many)));
    await rejectsCode(t, 'ERR_INVALID_ARG', () => store.hasMany(wrong(many)));
  }
  for (const entry of [undefined, null, 1, 'key'])
    await rejectsCode(t, 'ERR_INVALID_ARG', () => store.setMany([wrong(entry)]), String(entry));
  for (const value of [() => {}, Symbol('a'), new WeakMap(), { deep: [() => {}] }])
    await rejectsCode(t, 'ERR_CODEC', () => store.set('key', value));
  t.is(store.shard.size, 0);
});

test('the longest key works, and one more byte is refused', async (t) => {
  const store = new KeyvShard(shardPath(t));
  t.teardown(() => store.disconnect());
  const key = `n:${'k'.repeat(4092)}`;
  await store.set(key, 'v');
  t.is(await store.get(key), 'v');
  await rejectsCode(t, 'ERR_INVALID_KEY', () => store.set(`${key}k`, 'v'));
});

test('whatever Keyv passes comes back unchanged, in memory that belongs to the caller', async (t) => {
  const store = new KeyvShard(shardPath(t));
  t.teardown(() => store.disconnect());
  const buffer = Buffer.from(pattern(300_000, 3));
  const values: unknown[] = [
    '',
    'text',
    '\ufeffwith a mark',
    '\0',
    'a lone \ud800 surrogate',
    'ÿ\u00ff\u00fe',
    'x'.repeat(1_000_000),
    Buffer.alloc(0),
    Buffer.from([0xff, 1, 2]),
    Buffer.from('text'),
    buffer,
    new Uint8Array([0xff]),
    new Uint8Array(pattern(70_000, 4)),
    null,
    0,
    -0,
    Number.NaN,
    12n,
    false,
    [],
    { value: { a: [1, 'b', Buffer.from('c'), new Uint16Array([1, 65535])] }, expires: undefined },
    new Map([['a', new Set([1])]]),
    new Date(5),
  ];
  await store.setMany(values.map((value, i) => ({ key: `many ${i}`, value })));
  const many = await store.getMany(values.map((_, i) => `many ${i}`));
  for (const [i, value] of values.entries()) {
    await store.set('one', value);
    for (const found of [await store.get('one'), many[i]]) {
      t.is(Object.prototype.toString.call(found), Object.prototype.toString.call(value));
      t.is(Buffer.isBuffer(found), Buffer.isBuffer(value));
      if (ArrayBuffer.isView(value)) t.is(Buffer.compare(found as Buffer, value as Buffer), 0);
      else t.deepEqual(found, value);
    }
  }
  await store.set('one', buffer);
  (await store.get<Buffer>('one'))?.fill(0);
  t.is(Buffer.compare((await store.get<Buffer>('one')) as Buffer, buffer), 0);
});

test('setMany is one publish, all or nothing, and the last value of a key counts', async (t) => {
  const store = new KeyvShard(shardPath(t));
  t.teardown(() => store.disconnect());
  await store.set('before', 'v');
  const before = store.shard.generation;
  const many = Array.from({ length: 1000 }, (_, i) => ({ key: `k${i % 900}`, value: String(i) }));
  t.deepEqual(await store.setMany(many), Array(1000).fill(true));
  t.is(store.shard.generation, before + 1);
  t.is(await store.get('k5'), '905');
  const bad = [...many.map(({ key }) => ({ key, value: 'new' })), { key: '', value: '' }];
  await rejectsCode(t, 'ERR_INVALID_KEY', () => store.setMany(bad));
  await rejectsCode(t, 'ERR_CODEC', () => store.setMany([...many, { key: 'f', value: () => {} }]));
  t.is(await store.get('k5'), '905');
  t.deepEqual(await store.setMany([]), []);
  t.is(store.shard.generation, before + 1);
});

test('every time to live means the same as in Keyv', async (t) => {
  const store = new KeyvShard(shardPath(t));
  t.teardown(() => store.disconnect());
  for (const ttl of [
    undefined,
    null,
    0,
    -0,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    1e300,
    8.64e15,
    0.5 + 3_600_000,
  ]) {
    await store.set('key', 'v', wrong(ttl));
    t.is(await store.get('key'), 'v', String(ttl));
    t.is(await store.has('key'), true);
  }
  for (const ttl of [-1, -1e300, Number.MIN_SAFE_INTEGER]) {
    await store.set('key', 'v', ttl);
    t.is(await store.get('key'), undefined, String(ttl));
    t.is(await store.has('key'), false);
    t.deepEqual(await store.getMany(['key']), [undefined]);
    t.deepEqual(await entries(store), []);
  }
});

test('disconnect closes a shard that the adapter has opened, and leaves a given one open', async (t) => {
  const path = shardPath(t);
  const shard = Shard.open(path);
  t.teardown(() => shard.close());
  const given = new KeyvShard(shard);
  await given.set('a', 'b');
  await given.disconnect();
  t.is(await given.get('a'), 'b');
  t.is(given.shard, shard);
  const own = new KeyvShard(path);
  t.is(await own.get('a'), 'b');
  await own.disconnect();
  await own.disconnect();
  for (const call of [
    () => own.get('a'),
    () => own.getMany(['a']),
    () => own.set('a', 'b'),
    () => own.setMany([{ key: 'a', value: 'b' }]),
    () => own.delete('a'),
    () => own.deleteMany(['a']),
    () => own.has('a'),
    () => own.hasMany(['a']),
    () => own.clear(),
    () => entries(own),
  ])
    await rejectsCode(t, 'ERR_CLOSED', call, String(call));
  t.is(shard.get('a')?.length, 1);
});

test('a read-only shard can be read, and changes are refused', async (t) => {
  const path = shardPath(t);
  const writer = new KeyvShard(path);
  t.teardown(() => writer.disconnect());
  await writer.set('n:a', 'b');
  const reader = new KeyvShard(path, { readOnly: true });
  t.teardown(() => reader.disconnect());
  t.is(await reader.get('n:a'), 'b');
  t.deepEqual(await entries(reader, 'n'), [['n:a', 'b']]);
  for (const call of [
    () => reader.set('a', 'b'),
    () => reader.setMany([{ key: 'a', value: 'b' }]),
    () => reader.delete('n:a'),
    () => reader.deleteMany(['n:a']),
    () => reader.clear(),
    () => {
      reader.namespace = 'n';
      return reader.clear();
    },
  ])
    await rejectsCode(t, 'ERR_READ_ONLY', call, String(call));
  t.is(await writer.get('n:a'), 'b');
});

test('an iterator goes on while entries are set, deleted and cleared', async (t) => {
  const path = shardPath(t);
  const store = new KeyvShard(path);
  const other = new KeyvShard(path);
  t.teardown(() => Promise.all([store.disconnect(), other.disconnect()]));
  await store.setMany(Array.from({ length: 100 }, (_, i) => ({ key: `n:${i}`, value: `old ${i}` })));
  await store.set('m:0', 'of another namespace');
  const seen: string[] = [];
  for await (const [key, value] of store.iterator<string>('n')) {
    seen.push(`${key} ${value}`);
    if (seen.length === 1) {
      await other.set('n:1', 'new 1');
      await other.set('n:new', 'never seen');
      await other.deleteMany(['n:2', 'n:3', 'absent']);
      await other.set('n:4', 'expired', -1);
    }
    if (seen.length === 50) await other.clear();
  }
  t.deepEqual(seen.slice(0, 3), ['n:0 old 0', 'n:1 new 1', 'n:5 old 5']);
  t.is(seen.length, 50);
  t.is(store.shard.size, 0);
});

test('a namespace is compared literally, up to its colon', async (t) => {
  const store = new KeyvShard(shardPath(t));
  t.teardown(() => store.disconnect());
  const keys = ['a:1', 'a:2', 'ab:1', 'a', 'A:1', ':a:1', '%:1', '_:1'];
  await store.setMany(keys.map((key) => ({ key, value: key })));
  t.deepEqual(await entries(store, 'a'), [
    ['a:1', 'a:1'],
    ['a:2', 'a:2'],
  ]);
  t.is((await entries(store)).length, keys.length);
  t.false('namespace' in store);
  for (const namespace of ['_', '%', 'a']) {
    store.namespace = namespace;
    await store.clear();
  }
  t.deepEqual([...store.shard.keys()], ['ab:1', 'a', 'A:1', ':a:1']);
  store.namespace = undefined;
  await store.clear();
  t.is(store.shard.size, 0);
});

test('entries in another format read as absent, and an error event reports them', async (t) => {
  const shard = Shard.open(shardPath(t));
  t.teardown(() => shard.close());
  for (const [key, bytes] of [
    ['no text', [0x61, 0xc3]],
    ['no kind', [0xff, 9, 1]],
    ['only a head', [0xff]],
    ['no structure', [0xff, 3, 1, 2]],
  ] as const)
    shard.put(key, Buffer.from(bytes));
  shard.put('text', Buffer.from('text'));
  const store = new KeyvShard(shard);
  const keys = [...shard.keys()];
  const found = [undefined, undefined, undefined, undefined, 'text'];
  // This works without a listener, too.
  t.deepEqual(await store.getMany(keys), found);
  const heard: WarmshardError[] = [];
  t.is(
    store.on('error', (error: WarmshardError) => heard.push(error)),
    store,
  );
  t.deepEqual(await Promise.all(keys.map((key) => store.get(key))), found);
  t.deepEqual(await entries(store), [['text', 'text']]);
  t.is(heard.length, 8);
  for (const [i, error] of heard.entries()) {
    t.is(error.code, 'ERR_CODEC');
    t.true(error.message.includes(keys[i % 4] as string), error.message);
  }
});

test('a damaged file costs the damaged entries, and never throws', async (t) => {
  const path = shardPath(t);
  const store = new KeyvShard(path);
  await store.set('a', 'x'.repeat(1000));
  await store.set('b', 'y'.repeat(1000));
  await store.disconnect();
  const whole = readFileSync(path);
  const at = whole.indexOf('x'.repeat(1000));
  for (const damage of [
    () => writeFileSync(path, Buffer.from(whole).fill('z', at + 500, at + 501)),
    () => truncateSync(path, at),
    () => writeFileSync(path, 'something else'),
    () => writeFileSync(path, ''),
  ]) {
    writeFileSync(path, whole);
    damage();
    const again = new KeyvShard(path);
    t.is(await again.get('a'), undefined);
    t.is((await again.getMany(['a', 'b']))[0], undefined);
    for await (const [key] of again.iterator()) t.not(key, 'a');
    await again.set('a', 'new');
    t.is(await again.get('a'), 'new');
    await again.disconnect();
  }
});

test('the adapter does not load Keyv, and warmshard does not load the adapter', (t) => {
  const { execFileSync } = require('node:child_process') as typeof import('node:child_process');
  const loaded = (program: string) =>
    execFileSync(
      process.execPath,
      ['-e', `${program}; console.log(Object.keys(require.cache).join('\\n'))`],
      {
        encoding: 'utf8',
        cwd: __dirname,
      },
    );
  const own = loaded(
    `new (require('warmshard/keyv').KeyvShard)(${JSON.stringify(shardPath(t))}).disconnect()`,
  );
  t.true(own.includes('keyv.cjs'));
  t.false(own.includes('node_modules'), own);
  t.false(own.includes('stores.cjs'), own);
  t.false(loaded("require('warmshard')").includes('keyv.cjs'));
});
