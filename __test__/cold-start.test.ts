// A program that runs for 40 ms looked up one entry, and first had to compile the code of every feature of the cache.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { type Inside, inChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';

const root = join(__dirname, '..');

test('the first look-up loads one bundle, and no further module of Node.js', async (t) => {
  const path = shardPath(t);
  const shard = Shard.open(path);
  shard.put('key', new Uint8Array(3));
  shard.close();
  const body = (inside: Inside, path: string) => {
    // The helper loads the package only when it is used.
    const before = new Set((process as unknown as { moduleLoadList: string[] }).moduleLoadList);
    const value = inside.warmshard.Shard.open(path).get('key');
    const after = (process as unknown as { moduleLoadList: string[] }).moduleLoadList;
    const bundles = Object.keys(require.cache).filter((name) => name.endsWith('.cjs'));
    return {
      bytes: value?.length,
      bundles: bundles.map((name) => name.split('/').at(-1)).sort(),
      // Without modules that Node.js needs to resolve and load any package.
      modules: after.filter((name) => !before.has(name) && !/modules\/|url|esm/.test(name)),
    };
  };
  // The fast door is in the second bundle, which is loaded after many look-ups.
  const env = { WARMSHARD_FAST: '' };
  t.deepEqual(await inChild(t, body, path, { env }), { bytes: 3, bundles: ['index.cjs'], modules: [] });
});

test('what most programs use is in that bundle', async (t) => {
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    const shard = Shard.open(path, { host: { name: 'app', version: '1' }, readOnly: false });
    shard.put('key', new Uint8Array(3));
    const source = { mtimeSec: 5, mtimeNsec: 6, size: 7 };
    const found = [
      shard.get('key')?.length,
      shard.has('key'),
      shard.get('key', source),
      shard.has('key', source),
    ];
    shard.close();
    const bundles = Object.keys(require.cache).filter((name) => /(later|seldom|stores)\.cjs$/.test(name));
    return [...found.map(String), bundles];
  };
  const env = { WARMSHARD_FAST: '', WARMSHARD_COPY: '' };
  t.deepEqual(await inChild(t, body, shardPath(t), { env }), ['3', 'true', 'undefined', 'false', []]);
});

test('that bundle stays small, because V8 reads all of it at each start', (t) => {
  // Code that is not needed for a first look-up belongs in facade/later/. See docs/performance/start.md.
  const { length } = readFileSync(join(root, 'dist/index.cjs'));
  t.true(length <= 15_000, `${length} bytes`);
});

test('in a program that runs for seconds the second bundle is loaded without being asked for', async (t) => {
  const body = async ({ warmshard: { Shard } }: Inside, path: string) => {
    const shard = Shard.open(path);
    const loaded = () => Object.keys(require.cache).some((name) => name.endsWith('later.cjs'));
    const first = loaded();
    for (let i = 0; i < 2000 && !loaded(); i++) await new Promise((done) => setTimeout(done, 100));
    shard.close();
    return [first, loaded()];
  };
  t.deepEqual(await inChild(t, body, shardPath(t), { env: { WARMSHARD_FAST: '', WARMSHARD_COPY: '' } }), [
    false,
    true,
  ]);
});

test('options mean the same whether few or many of them are given', (t) => {
  const host = { name: 'app', version: '1' };
  for (const given of [{}, { host }, { host: { ...host, binary: false } }, { host, copy: true }] as const) {
    const path = shardPath(t);
    const few = Shard.open(path, given);
    const many = Shard.open(path, { ...given, autoCompact: true, verify: 'first' });
    few.put('key', new Uint8Array([1]));
    t.deepEqual(many.get('key'), new Uint8Array([1]));
    t.deepEqual(many.list(), few.list());
    t.deepEqual(
      many.list().map(({ current }) => current),
      [true],
    );
    t.false(few.readOnly);
    t.true(Shard.open(path, { ...given, readOnly: true }).readOnly);
  }
});

test('the other bundles are loaded when something in them is used', async (t) => {
  const body = ({ warmshard }: Inside, path: string) => {
    const bundles = () => {
      const loaded = Object.keys(require.cache).map((name) => name.split('/').at(-1));
      return loaded.filter((name) => name === 'later.cjs' || name === 'stores.cjs').sort();
    };
    const shard = warmshard.Shard.open(path);
    shard.put('key', new Uint8Array(3));
    const first = bundles();
    const described = shard.list().map(({ key }) => key);
    const second = bundles();
    return [first, described, second, typeof warmshard.fileMtime, bundles()];
  };
  const env = { WARMSHARD_FAST: '' };
  t.deepEqual(await inChild(t, body, shardPath(t), { env }), [
    [],
    ['key'],
    ['later.cjs'],
    'function',
    ['later.cjs', 'stores.cjs'],
  ]);
});

test('the first bundle contains neither docstrings nor class fields without a value', (t) => {
  const text = readFileSync(join(root, 'dist/index.cjs'), 'utf8');
  t.false(text.includes('/**'));
  t.deepEqual(text.match(/^ +\w+;$/gm), null);
});

test('no options mean the same as an empty object', (t) => {
  const path = shardPath(t);
  const shards = [Shard.open(path), Shard.open(path, {})] as const;
  for (const [i, shard] of shards.entries()) shard.put(`key ${i}`, new Uint8Array([i]));
  for (const shard of shards) {
    t.deepEqual([shard.get('key 0'), shard.get('key 1')], [new Uint8Array([0]), new Uint8Array([1])]);
    t.true(shard.list().every(({ current }) => current));
    t.deepEqual([shard.readOnly, shard.stats().mapped, shard.path], [false, true, path]);
    shard.close();
  }
});

const builtAddon = () => {
  const built = readdirSync(root).find((name) => /^warmshard\..*\.node$/.test(name)) as string;
  return require(join(root, built));
};

test('the addon defines the functions for a first hit, and the others when they are asked for', (t) => {
  const addon = builtAddon();
  t.deepEqual(Object.keys(addon).sort(), ['attach', 'close', 'functionsOf', 'open', 'window']);
  t.true(Object.keys(addon.functionsOf('shard')).length > 20);
  t.is(addon.functionsOf('no such table'), null);
});

test('an open shard gets one function of the addon, and the others when it needs one of them', (t) => {
  const { open, attach, close } = builtAddon();
  const none = { hostName: '', hostVersion: '', parts: [''] };
  const flags = { readOnly: false, syncEach: false, verifyAlways: false, mapped: true, autoCompact: false };
  const target: Record<string, unknown> = {};
  const shard = open(shardPath(t), { ...none, ...flags }, target);
  t.deepEqual(Object.keys(target).sort(), ['exchange', 'get']);
  attach(shard, target);
  t.true(Object.keys(target).length > 10);
  t.true(Object.values(target).every((call) => call === target.exchange || typeof call === 'function'));
  close(shard);
});

test('a function of the addon accepts only handles of its own kind', (t) => {
  const { functionsOf, close } = builtAddon();
  const { size } = functionsOf('shard');
  const job = functionsOf('work').begin();
  for (const wrong of [undefined, null, 1, {}, [], 'shard', new Uint8Array(8), job]) {
    t.throws(() => size(wrong));
    t.throws(() => close(wrong));
  }
});

test('a path is resolved in the same way as by path.resolve', (t) => {
  const dir = folder(t);
  const ends = [
    'a',
    'a/',
    'a//b',
    './a',
    '../a',
    'a/.',
    'a/..',
    'a/../b',
    'a/...',
    '.a/b',
    '..a/b',
    'a./b..',
  ];
  for (const end of [...ends, '', '/', '.', '..', '...', './', '../', '.b', 'a.b/c', 'a/./b', 'a/.../../c']) {
    const path = `${dir}/some/folder/${end}`;
    t.is(Shard.open(path, { readOnly: true }).path, resolve(path), end);
  }
  t.is(Shard.open('relative/path', { readOnly: true }).path, resolve('relative/path'));
});
