// The metadata of a build cache came back slightly different: a warning was lost, and a failing exit code became 0.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type ArtifactInput, ArtifactStore } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

const full = (n = 0): ArtifactInput => ({
  outputNames: [`a${n}.o`, 'ä/b.d'],
  outputSizes: [n, 2 ** 40],
  stdout: 'text \u{1F680}\n',
  stderr: bytes('bytes'),
  exitCode: -7,
  totalSize: 5 + n,
  storedAt: 1_700_000_000_123 + n,
});

test('every field comes back as it was given, fresh, flushed and reopened', (t) => {
  const dir = folder(t);
  const rows: [string, ArtifactInput][] = [
    ['full', full()],
    ['empty', { outputNames: [], outputSizes: [], storedAt: 1 }],
    [
      'bytes',
      { outputNames: ['x'], outputSizes: [0], stdout: new Uint8Array([0xff, 0]), stderr: '', storedAt: 2 },
    ],
  ];
  const expected = (input: ArtifactInput) => ({
    stdout: '',
    stderr: '',
    exitCode: 0,
    totalSize: 0,
    ...input,
  });
  const check = (store: ArtifactStore) => {
    for (const [key, meta] of rows) t.deepEqual(store.get(key), expected(meta) as never);
    t.is(store.size, rows.length);
    t.is(store.get('absent'), undefined);
  };
  const store = ArtifactStore.open(dir);
  for (const [key, meta] of rows) store.insert(key, meta);
  check(store);
  store.flush();
  check(store);
  const other = ArtifactStore.open(dir, { readOnly: true });
  check(other);
  other.close();
  store.close();
  const again = ArtifactStore.open(dir);
  check(again);
  t.is(again.stats().recoveredRows, 0);
  again.close();
});

test('fields that are left out have their defaults', (t) => {
  const store = ArtifactStore.open(folder(t));
  const before = Date.now();
  store.insert('k', { outputNames: ['a', 'b'], outputSizes: [3, 4] });
  const meta = store.get('k');
  t.like(meta, { stdout: '', stderr: '', exitCode: 0, totalSize: 7 });
  t.true((meta?.storedAt ?? 0) >= before && (meta?.storedAt ?? 0) <= Date.now());
  store.close();
});

test('changes of the index touch no file before flush, and flush creates the folders', (t) => {
  const dir = join(folder(t), 'not', 'there');
  const store = ArtifactStore.open(dir, { deferLoad: true });
  for (let i = 0; i < 100; i++) store.insert(`k${i}`, full(i));
  t.false(existsSync(dir));
  t.is(store.get('k7')?.totalSize, 12);
  t.false(existsSync(dir), 'rows in memory need no disk');
  store.flush();
  t.true(existsSync(join(dir, 'index.shard')));
  t.deepEqual(readdirSync(dir).sort(), ['.tmp', 'index.shard', 'index.shard.lock']);
  store.close();
});

test('a batch of keys with one invalid key removes nothing', (t) => {
  using store = ArtifactStore.open(folder(t));
  store.insert('key', full());
  for (const wrong of ['', 'x'.repeat(5000), '\ud800', 5 as never]) {
    const error = throwsCode(t, 'ERR_INVALID_KEY', () => store.removeBatch(['key', wrong]));
    t.regex(error?.message ?? '', /^key 1: the key /);
    t.is(store.size, 1);
  }
});

test('counts, batches and clearing', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  t.true(store.isEmpty());
  t.is(store.insertMany(Array.from({ length: 50 }, (_, i) => [`k${i}`, full(i)] as const)), 50);
  t.is(store.size, 50);
  t.is(store.totalSizeBytes(), 50 * 5 + (49 * 50) / 2);
  t.true(store.remove('k0'));
  t.false(store.remove('k0'));
  store.flush();
  t.is(store.removeBatch(['k0', 'k1', 'k2', 'absent']), 2);
  t.is(store.size, 47);
  t.false(store.isEmpty());
  t.deepEqual(
    store
      .loadAll()
      .map(([key]) => key)
      .sort(),
    Array.from({ length: 47 }, (_, i) => `k${i + 3}`).sort(),
  );
  t.is(store.clear(), 47);
  t.is(store.clear(), 0);
  t.is(store.size, 0);
  t.is(store.totalSizeBytes(), 0);
  store.insert('new', full());
  store.close();
  const again = ArtifactStore.open(dir);
  t.deepEqual(
    again.loadAll().map(([key]) => key),
    ['new'],
  );
  again.close();
});

test('a store does what a Map does', (t) => {
  const dir = folder(t);
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e/f');
  const step = fc.oneof(
    fc.record({ do: fc.constant('insert' as const), key, size: fc.nat(1000) }),
    fc.record({
      do: fc.constantFrom('remove' as const, 'flush' as const, 'reopen' as const, 'clear' as const),
      key,
    }),
  );
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const path = join(dir, String(run++));
      const model = new Map<string, number>();
      let store = ArtifactStore.open(path);
      for (const now of steps) {
        if (now.do === 'insert') {
          model.set(now.key, now.size);
          store.insert(now.key, { outputNames: [], outputSizes: [], totalSize: now.size });
        } else if (now.do === 'remove') t.is(store.remove(now.key), model.delete(now.key));
        else if (now.do === 'flush') store.flush();
        else if (now.do === 'clear') {
          t.is(store.clear(), model.size);
          model.clear();
        } else {
          store.close();
          store = ArtifactStore.open(path, { deferLoad: now.key === 'a' });
        }
        t.is(store.size, model.size);
        t.is(
          store.totalSizeBytes(),
          [...model.values()].reduce((sum, size) => sum + size, 0),
        );
        for (const k of ['a', 'b', 'c', 'd', 'e/f']) t.is(store.get(k)?.totalSize, model.get(k));
      }
      store.close();
    }),
    { numRuns: 30 },
  );
});

test('namespaces are folders of their own', (t) => {
  const dir = folder(t);
  const one = ArtifactStore.open(dir, { namespace: 'release-1' });
  const two = ArtifactStore.open(dir, { namespace: 'debug' });
  one.insert('k', full(1));
  one.flush();
  t.is(two.get('k'), undefined);
  t.is(one.path, join(dir, 'release-1'));
  for (const store of [one, two]) store.close();
  for (const namespace of ['', '..', 'A', 'a/b', 'a_b', 'x'.repeat(65), 7])
    throwsCode(t, 'ERR_INVALID_ARG', () => ArtifactStore.open(dir, { namespace: namespace as string }));
});

test('another host build does not see the rows', (t) => {
  const dir = folder(t);
  const open = (version: string) => ArtifactStore.open(dir, { host: { name: 'cc', version, binary: false } });
  const one = open('1');
  one.insert('k', full());
  one.putOutputs('k', [bytes('one')]);
  one.close();
  const two = open('2');
  t.is(two.get('k'), undefined);
  t.is(two.output('k', 0), undefined);
  two.close();
  const again = open('1');
  t.is(again.get('k')?.exitCode, -7);
  again.close();
});

test('invalid arguments are refused', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  const insert = (meta: unknown) => () => store.insert('k', meta as ArtifactInput);
  for (const key of [7, undefined, null, {}])
    throwsCode(t, 'ERR_INVALID_KEY', () => store.get(key as string));
  for (const key of ['', '\ud800', 'x'.repeat(5000)]) {
    throwsCode(t, 'ERR_INVALID_KEY', () => store.insert(key, full()));
    throwsCode(t, 'ERR_INVALID_KEY', () => store.putOutputs(key, []));
    throwsCode(t, 'ERR_INVALID_KEY', () => store.output(key, 0));
  }
  const bad: unknown[] = [
    undefined,
    null,
    {},
    { ...full(), outputNames: 'a' },
    { ...full(), outputNames: ['a'] },
    { ...full(), outputNames: [1, 2] },
    { ...full(), outputNames: ['a', '\udfff'] },
    { ...full(), outputSizes: [1, -1] },
    { ...full(), outputSizes: [1, 1.5] },
    { ...full(), stdout: 7 },
    { ...full(), stderr: '\ud800' },
    { ...full(), exitCode: 1.5 },
    { ...full(), exitCode: 2 ** 31 },
    { ...full(), totalSize: -1 },
    { ...full(), storedAt: Number.NaN },
    { ...full(), storedAt: new Date() },
  ];
  for (const meta of bad) throwsCode(t, 'ERR_INVALID_ARG', insert(meta), JSON.stringify(meta));
  throwsCode(t, 'ERR_TOO_LARGE', insert({ ...full(), stdout: new Uint8Array(65 << 20) }));
  throwsCode(t, 'ERR_INVALID_ARG', () =>
    store.insertMany([
      ['good', full()],
      ['bad', { ...full(), exitCode: 0.5 }],
    ]),
  );
  throwsCode(t, 'ERR_TOO_LARGE', () =>
    store.insertMany([
      ['good', full()],
      ['bad', { ...full(), stdout: new Uint8Array(65 << 20) }],
    ]),
  );
  t.is(store.size, 0, 'nothing of a batch with a bad row is stored');
  throwsCode(t, 'ERR_INVALID_ARG', () => store.putOutputs('k', 'x' as never));
  throwsCode(t, 'ERR_INVALID_ARG', () => store.putOutputs('k', [7] as never));
  throwsCode(t, 'ERR_INVALID_ARG', () => store.putOutputs('k', [], { pack: 1 } as never));
  for (const index of [-1, 0.5, '0', Number.NaN])
    throwsCode(t, 'ERR_INVALID_ARG', () => store.output('k', index as number));
  for (const size of [-1, 0.5, '0']) throwsCode(t, 'ERR_INVALID_ARG', () => store.evictTo(size as number));
  for (const options of [null, 7, { maxBytes: -1 }, { deferLoad: 1 }, { readOnly: 'no' }])
    throwsCode(
      t,
      'ERR_INVALID_ARG',
      () => ArtifactStore.open(dir, options as never),
      JSON.stringify(options),
    );
  for (const path of ['', 'a\0b', 7])
    throwsCode(t, 'ERR_INVALID_ARG', () => ArtifactStore.open(path as string));
  store.close();
  store.close();
  for (const use of [() => store.get('k'), () => store.size, () => store.flush(), () => store.loadAll()])
    throwsCode(t, 'ERR_CLOSED', use);
});

test('a read-only store changes nothing', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir, { readOnly: true });
  t.is(store.get('k'), undefined);
  throwsCode(t, 'ERR_READ_ONLY', () => store.insert('k', full()));
  throwsCode(t, 'ERR_READ_ONLY', () => store.putOutputs('k', []));
  throwsCode(t, 'ERR_READ_ONLY', () => store.remove('k'));
  throwsCode(t, 'ERR_READ_ONLY', () => store.clear());
  throwsCode(t, 'ERR_READ_ONLY', () => store.evictTo(0));
  store.flush();
  store.close();
  t.deepEqual(readdirSync(dir), []);
});
