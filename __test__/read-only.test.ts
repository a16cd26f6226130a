// An app shipped its cache inside a signed bundle; the first start changed the file, and the signature was no longer valid.

import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const WRITES: Record<string, (shard: Shard) => unknown> = {
  put: (s) => s.put('key', bytes('x')),
  delete: (s) => s.delete('key'),
  mergeIn: (s) => s.mergeIn([['key', bytes('x')]]),
  'mergeIn of nothing': (s) => s.mergeIn([]),
  replaceAll: (s) => s.replaceAll([['key', bytes('x')]]),
  clear: (s) => s.clear(),
  evictStale: (s) => s.evictStale(),
  compact: (s) => s.compact(),
};
const ASYNC: Record<string, (shard: Shard) => Promise<unknown>> = {
  mergeInAsync: (s) => s.mergeInAsync([['key', bytes('x')]]),
  'mergeInAsync of nothing': (s) => s.mergeInAsync([]),
  replaceAllAsync: (s) => s.replaceAllAsync([['key', bytes('x')]]),
  evictStaleAsync: (s) => s.evictStaleAsync(),
  compactAsync: (s) => s.compactAsync(),
};

everyWay('every method that writes throws ERR_READ_ONLY, and the files are unchanged', async (t, way) => {
  const writer = way.open();
  for (let i = 0; i < 100; i++) writer.put(`${i}`, bytes(`${i}`), { validator: bytes('v') });
  writer.close();
  const files = () => [way.path, `${way.path}.lock`].map((path) => readFileSync(path));
  const before = files();
  const shard = way.open({ readOnly: true });
  t.true(shard.readOnly);
  for (const [name, write] of Object.entries(WRITES)) {
    const error = throwsCode(t, 'ERR_READ_ONLY', () => write(shard), name);
    t.is(error?.path, way.path);
  }
  for (const [name, write] of Object.entries(ASYNC))
    await rejectsCode(t, 'ERR_READ_ONLY', () => write(shard), name);
  t.is(text(shard.get('5', bytes('v'))), '5');
  t.is(shard.get('5', bytes('w')), undefined);
  t.is(shard.size, 100);
  t.is([...shard.entries()].length, 100);
  t.true(shard.verify().ok);
  t.is((await shard.verifyAsync()).entries, 100);
  await shard.flushAsync();
  shard.close();
  t.deepEqual(files(), before);
});

everyWay('a reader sees the changes of writers', (t, way) => {
  const reader = way.open({ readOnly: true });
  t.is(reader.get('key'), undefined);
  const writer = way.open();
  writer.put('key', bytes('one'));
  const late = way.open({ readOnly: true });
  t.is(text(late.get('key')), 'one');
  writer.put('key', bytes('two'));
  t.is(text(late.get('key')), 'two');
  writer.compact();
  writer.replaceAll([['key', bytes('three')]]);
  t.is(text(late.get('key')), 'three');
});

test('a read-only shard creates nothing, not even a folder', (t) => {
  const path = join(folder(t), 'none', 'cache.shard');
  using shard = Shard.open(path, { readOnly: true });
  t.is(shard.get('key'), undefined);
  t.is(shard.size, 0);
  t.deepEqual([...shard], []);
  t.deepEqual(shard.list(), []);
  t.true(shard.verify().ok);
  t.deepEqual(readdirSync(dirname(dirname(path))), []);
});

test('a shard can be shipped without its sidecar and read', (t) => {
  const path = shardPath(t);
  {
    using shard = Shard.open(path);
    for (let i = 0; i < 2000; i++) shard.put(`${i}`, bytes(`${i}`));
  }
  const shipped = join(folder(t), 'shipped.shard');
  cpSync(path, shipped);
  chmodSync(shipped, 0o400);
  using shard = Shard.open(shipped, { readOnly: true });
  for (let i = 0; i < 2000; i++) t.is(text(shard.get(`${i}`)), `${i}`);
  t.deepEqual(readdirSync(dirname(shipped)), ['shipped.shard']);
  rmSync(path);
});
