// A daemon was not ready for half a second, because it read an index that it did not need yet.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ArtifactStore } from 'warmshard';
import { bytes, same } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { rejectsCode } from './helpers/throws.js';

const meta = (size: number, storedAt?: number) => ({
  outputNames: ['x'],
  outputSizes: [size],
  ...(storedAt !== undefined && { storedAt }),
});

function filled(dir: string): void {
  const store = ArtifactStore.open(dir);
  for (const key of ['a', 'b', 'c']) {
    store.insert(key, meta(1));
    store.putOutputs(key, [bytes(`disk ${key}`)]);
  }
  store.close();
}

test('a deferred store looks at the disk at the first miss, and its newer rows win', (t) => {
  const dir = folder(t);
  filled(dir);
  const store = ArtifactStore.open(dir, { deferLoad: true });
  store.insert('a', meta(100));
  t.is(store.get('a')?.totalSize, 100);
  t.is(store.get('b')?.totalSize, 1, 'the first miss loads');
  t.is(store.get('a')?.totalSize, 100, 'memory is newer than the disk');
  same(t, store.output('a', 0), bytes('disk a'), 'a newer row keeps the files');
  t.is(store.size, 3);
  store.flush();
  store.close();
  const again = ArtifactStore.open(dir);
  t.is(again.get('a')?.totalSize, 100);
  same(t, again.output('a', 0), bytes('disk a'));
  again.close();
});

test('ready() loads the index off the event loop, and rebuilds one that is lost', async (t) => {
  const dir = folder(t);
  filled(dir);
  rmSync(join(dir, 'index.shard'));
  const store = ArtifactStore.open(dir, { deferLoad: true });
  store.insert('b', meta(50));
  const ready = store.ready();
  t.is(store.get('b')?.totalSize, 50);
  t.is(store.get('c')?.totalSize, 1, 'a get before it is ready loads the index itself');
  await ready;
  t.is(store.size, 3);
  t.is(store.get('b')?.totalSize, 50);
  store.close();
  await rejectsCode(t, 'ERR_CLOSED', () => store.ready());
  const missing = ArtifactStore.open(join(dir, 'not-there'), { deferLoad: true });
  await missing.ready();
  t.is(missing.size, 0);
  missing.close();
});

test('flushAsync makes everything durable, and changes can be made meanwhile', async (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  for (let i = 0; i < 50; i++) {
    store.putOutputs(`k${i}`, [bytes(`${i}`)]);
    store.insert(`k${i}`, meta(1));
  }
  t.like(store.durability(), { pendingEntries: 50, durable: false });
  const flushing = store.flushAsync();
  store.insert('late', meta(1));
  await Promise.all([flushing, store.flushAsync()]);
  t.deepEqual(store.durability(), { pendingEntries: 0, pendingBytes: 0, durable: true });
  const other = ArtifactStore.open(dir, { readOnly: true });
  t.is(other.size, 51);
  other.close();
  store.close();
  await rejectsCode(t, 'ERR_CLOSED', () => store.flushAsync());
});

test('eviction removes what was not used for longest, with its files', (t) => {
  const dir = folder(t);
  let store = ArtifactStore.open(dir);
  for (let i = 0; i < 6; i++) {
    store.insert(`k${i}`, meta(10, 1000 + i));
    store.putOutputs(`k${i}`, [bytes(`${i}`)], { pack: i % 2 === 0 });
  }
  store.get('k0');
  store.output('k1', 0);
  t.is(store.evictTo(60), 0);
  t.is(store.evictTo(45), 2);
  t.deepEqual(
    store
      .loadAll()
      .map(([key]) => key)
      .sort(),
    ['k0', 'k1', 'k4', 'k5'],
  );
  const files = () =>
    readdirSync(dir)
      .filter((name) => name.startsWith('k'))
      .sort();
  t.deepEqual(files(), ['k0.pack', 'k1_0', 'k4.pack', 'k5_0']);
  store.close();
  store = ArtifactStore.open(dir);
  t.is(store.evictTo(20), 2, 'the next handle knows the times of use');
  t.deepEqual(
    store
      .loadAll()
      .map(([key]) => key)
      .sort(),
    ['k0', 'k1'],
  );
  t.is(store.evictTo(0), 2);
  t.deepEqual(files(), []);
  store.close();
});

test('a flush keeps the store under maxBytes', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir, { maxBytes: 100 });
  for (let i = 0; i < 30; i++) {
    store.insert(`k${i}`, meta(10, 1000 + i));
    store.putOutputs(`k${i}`, [bytes(`${i}`)]);
  }
  store.flush();
  t.true(store.totalSizeBytes() <= 100, String(store.totalSizeBytes()));
  t.true(store.get('k29') !== undefined && store.get('k0') === undefined);
  t.is(readdirSync(dir).filter((name) => name.startsWith('k')).length, store.size);
  store.close();
  t.true(existsSync(dir));
});
