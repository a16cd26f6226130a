// The compiler ran for a minute at every start, although nothing had changed since yesterday.

import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DiskPipelineCache, type DiskPipelineOptions, encodeArtifact, fingerprint } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { type Inside, inChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { WAYS } from './helpers/ways.js';

const MIB = 1024 * 1024;

function everyWay(
  title: string,
  body: (
    t: ExecutionContext,
    open: (more?: DiskPipelineOptions) => DiskPipelineCache,
    root: string,
  ) => unknown,
): void {
  for (const [name, options] of Object.entries(WAYS))
    test(`${title} (${name})`, async (t) => {
      const root = join(folder(t), 'cache');
      await body(
        t,
        (more) => new DiskPipelineCache(root, { ...(options as DiskPipelineOptions), ...more }),
        root,
      );
    });
}

everyWay('what is put is found, through this object and through others', (t, open) => {
  const cache = open();
  for (const length of [0, 1, 31, 32, 33, 4096, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3 * MIB + 5]) {
    const one = fingerprint('length', String(length));
    const payload = pattern(length, length);
    t.is(cache.get(one), undefined);
    t.false(cache.has(one));
    cache.put(one, payload);
    t.true(cache.has(one));
    for (const handle of [cache, open(), open({ readOnly: true })]) {
      const found = handle.get(one);
      same(t, found, payload, String(length));
      t.is(Object.getPrototypeOf(found), Uint8Array.prototype);
      t.is(found?.byteOffset, 0);
      t.is(found?.buffer.byteLength, length, 'its memory holds nothing else');
    }
  }
});

everyWay('the file is <64 hex>.bin: payload and footer, private', (t, open, root) => {
  const one = fingerprint('a');
  open().put(one, bytes('payload'));
  t.deepEqual(readdirSync(root), [`${one}.bin`]);
  const path = join(root, `${one}.bin`);
  same(t, readFileSync(path), encodeArtifact(one, bytes('payload')));
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is(statSync(root).mode & 0o777, 0o700);
  // The other way round: a file that was encoded elsewhere is an artifact here.
  const two = fingerprint('b');
  writeFileSync(join(root, `${two}.bin`), encodeArtifact(two, bytes('made elsewhere')), { mode: 0o600 });
  t.is(text(open().get(two)), 'made elsewhere');
});

everyWay('a returned artifact has memory of its own, and outlives everything', (t, open) => {
  for (const length of [1000, MIB]) {
    const cache = open();
    const one = fingerprint(String(length));
    cache.put(one, pattern(length, 1));
    const first = cache.get(one);
    first?.fill(0);
    same(t, cache.get(one), pattern(length, 1), 'a write stays where it was made');
    const kept = cache.get(one);
    cache.put(one, pattern(length, 2));
    const second = cache.get(one);
    cache.clear();
    cache.close();
    same(t, kept, pattern(length, 1));
    same(t, second, pattern(length, 2));
    // From Node.js 24 on, lent memory can be cloned but not transferred.
    const transfer = length < MIB ? [kept?.buffer as ArrayBuffer] : [];
    const moved = structuredClone(kept, { transfer });
    same(t, moved, pattern(length, 1));
  }
});

everyWay('durabilityReport() says what is pending until flush', async (t, open) => {
  const cache = open();
  t.deepEqual(cache.durabilityReport(), { pendingEntries: 0, pendingBytes: 0, durable: true });
  cache.put(fingerprint('a'), pattern(1000, 1));
  cache.put(fingerprint('b'), pattern(1000, 2));
  cache.put(fingerprint('b'), pattern(500, 2));
  t.deepEqual(cache.durabilityReport(), { pendingEntries: 2, pendingBytes: 1564, durable: false });
  cache.flush();
  t.deepEqual(cache.durabilityReport(), { pendingEntries: 0, pendingBytes: 0, durable: true });
  for (let i = 0; i < 50; i++) cache.put(fingerprint(String(i)), pattern(10, i));
  t.is(cache.durabilityReport().pendingEntries, 50);
  cache.remove(fingerprint('0'));
  t.is(cache.durabilityReport().pendingEntries, 49, 'a removed artifact is not pending');
  await Promise.all([cache.flushAsync(), cache.flushAsync()]);
  t.true(cache.durabilityReport().durable);
  t.is(cache.metrics().flushes, 3);
});

test('a flush that fails throws, and everything stays pending', async (t) => {
  const root = join(folder(t), 'cache');
  const cache = new DiskPipelineCache(root);
  cache.put(fingerprint('a'), pattern(100, 1));
  rmSync(root, { recursive: true });
  const error = throwsCode(t, 'ERR_IO', () => cache.flush());
  t.is(error?.syscall, 'open');
  t.is(error?.path, root);
  t.is(error?.errno, -2);
  await rejectsCode(t, 'ERR_IO', () => cache.flushAsync());
  t.deepEqual(cache.durabilityReport(), { pendingEntries: 1, pendingBytes: 132, durable: false });
  t.like(cache.metrics(), { flushes: 2, flushErrors: 2, entries: 0 });
  cache.put(fingerprint('b'), pattern(100, 1));
  await cache.flushAsync();
  t.true(cache.durabilityReport().durable);
  t.like(cache.metrics(), { flushes: 3, flushErrors: 2, entries: 1 });
});

test('metrics add up', (t) => {
  const cache = new DiskPipelineCache(join(folder(t), 'cache'));
  const zero = cache.metrics();
  t.deepEqual(Object.values(zero), Array(12).fill(0));
  cache.get(fingerprint('a'));
  cache.put(fingerprint('a'), pattern(100, 1));
  cache.get(fingerprint('a'));
  cache.get(fingerprint('a'));
  cache.has(fingerprint('a'));
  cache.put(fingerprint('large'), new Uint8Array(64 * MIB + 1));
  t.deepEqual(cache.metrics(), {
    lookups: 3,
    hits: 2,
    misses: 1,
    puts: 1,
    rejectedPuts: 1,
    evictions: 0,
    evictedBytes: 0,
    flushes: 0,
    flushErrors: 0,
    cachedBytes: 132,
    entries: 1,
    hitRatePpm: 666_666,
  });
});

test('the folder stays under maxBytes, and the oldest go first', (t) => {
  const root = join(folder(t), 'cache');
  const cache = new DiskPipelineCache(root, { maxBytes: 10_000 });
  const put = (i: number) => {
    cache.put(fingerprint(String(i)), pattern(968, i));
    // Set the times, because the file system's clock may be too coarse to order the puts.
    const path = join(root, `${fingerprint(String(i))}.bin`);
    if (existsSync(path)) utimesSync(path, i, i);
  };
  for (let i = 1; i <= 10; i++) put(i);
  writeFileSync(join(root, 'other.bin'), pattern(50_000, 1));
  cache.flush();
  t.like(cache.metrics(), { entries: 10, cachedBytes: 10_000, evictions: 0 });
  utimesSync(join(root, `${fingerprint('1')}.bin`), 100, 100);
  for (let i = 11; i <= 14; i++) put(i);
  cache.flush();
  t.like(cache.metrics(), { entries: 10, cachedBytes: 10_000, evictions: 4, evictedBytes: 4000 });
  const left = Array.from({ length: 14 }, (_, i) => i + 1).filter((i) => cache.has(fingerprint(String(i))));
  t.deepEqual(left, [1, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  t.true(existsSync(join(root, 'other.bin')), 'foreign files stay');
  cache.put(fingerprint('too large for it'), pattern(9969, 1));
  t.is(cache.metrics().rejectedPuts, 1);
  cache.put(fingerprint('just not'), pattern(9968, 1));
  cache.flush();
  t.like(cache.metrics(), { entries: 1, cachedBytes: 10_000, evictions: 14 });
  t.is(cache.clear(), 1);
  t.like(cache.metrics(), { entries: 0, evictions: 14 });
  const none = new DiskPipelineCache(root, { maxBytes: 0 });
  none.put(fingerprint('a'), bytes(''));
  t.like(none.metrics(), { rejectedPuts: 1, entries: 0 });
});

test('remove and clear say how many artifacts they removed', (t) => {
  const cache = DiskPipelineCache.open(join(folder(t), 'cache'));
  t.false(cache.remove(fingerprint('a')));
  t.is(cache.clear(), 0);
  for (const name of ['a', 'b', 'c']) cache.put(fingerprint(name), bytes(name));
  t.true(cache.remove(fingerprint('a')));
  t.false(cache.remove(fingerprint('a')));
  t.is(cache.get(fingerprint('a')), undefined);
  t.is(cache.clear(), 2);
});

test('a read-only cache changes nothing, and its folder need not exist', (t) => {
  const root = join(folder(t), 'cache');
  const reader = new DiskPipelineCache(root, { readOnly: true });
  t.is(reader.get(fingerprint('a')), undefined);
  throwsCode(t, 'ERR_READ_ONLY', () => reader.put(fingerprint('a'), bytes('a')));
  throwsCode(t, 'ERR_READ_ONLY', () => reader.remove(fingerprint('a')));
  throwsCode(t, 'ERR_READ_ONLY', () => reader.clear());
  reader.flush();
  t.false(existsSync(root));
  new DiskPipelineCache(root).put(fingerprint('a'), bytes('a'));
  t.is(text(reader.get(fingerprint('a'))), 'a');
  t.true(reader.readOnly);
});

test('a closed cache refuses everything but close', async (t) => {
  const cache = new DiskPipelineCache(join(folder(t), 'cache'));
  cache.put(fingerprint('a'), bytes('a'));
  const flushing = cache.flushAsync();
  cache.close();
  cache.close();
  cache[Symbol.dispose]();
  await flushing;
  const one = fingerprint('a');
  for (const call of [
    () => cache.get(one),
    () => cache.has(one),
    () => cache.put(one, bytes('a')),
    () => cache.remove(one),
    () => cache.clear(),
    () => cache.flush(),
    () => cache.metrics(),
    () => cache.durabilityReport(),
  ])
    throwsCode(t, 'ERR_CLOSED', call, String(call));
  await rejectsCode(t, 'ERR_CLOSED', () => cache.flushAsync());
});

test('wrong arguments are refused, and change nothing', (t) => {
  const root = join(folder(t), 'cache');
  for (const path of ['', 'a\0b', '\ud800', undefined, null, 1, new URL('file:///x')])
    throwsCode(t, 'ERR_INVALID_ARG', () => new DiskPipelineCache(path as string), String(path));
  const options = [
    null,
    1,
    { maxBytes: -1 },
    { maxBytes: 1.5 },
    { maxBytes: '1' },
    { copy: 1 },
    { readOnly: 'yes' },
    { access: 'write' },
    { trust: 'all' },
  ];
  for (const wrong of options)
    throwsCode(
      t,
      'ERR_INVALID_ARG',
      () => new DiskPipelineCache(root, wrong as never),
      JSON.stringify(wrong),
    );
  const cache = new DiskPipelineCache(root);
  const detached = fingerprint('a');
  structuredClone(detached, { transfer: [detached.buffer as ArrayBuffer] });
  const prints = [
    undefined,
    null,
    'a'.repeat(64),
    new Uint8Array(31),
    new Uint8Array(33),
    new DataView(new ArrayBuffer(32)),
    new Uint16Array(16),
    {},
    detached,
  ];
  for (const wrong of prints as Uint8Array[]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.get(wrong));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.has(wrong));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(wrong, bytes('a')));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.remove(wrong));
  }
  const gone = new Uint8Array(8);
  structuredClone(gone, { transfer: [gone.buffer] });
  for (const wrong of [
    'text',
    undefined,
    null,
    [1],
    new ArrayBuffer(4),
    new DataView(new ArrayBuffer(4)),
    gone,
  ])
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(fingerprint('a'), wrong as Uint8Array));
  t.false(existsSync(root));
  cache.put(Buffer.from(fingerprint('a')), Buffer.from('a buffer is a Uint8Array'));
  t.is(text(cache.get(new Uint8Array(fingerprint('a')))), 'a buffer is a Uint8Array');
  t.is(cache.metrics().rejectedPuts, 0);
});

test('in a folder that cannot be written to artifacts are still found, and puts are counted as rejected', async (t) => {
  const root = join(folder(t), 'cache');
  chmodSync(dirname(root), 0o755);
  new DiskPipelineCache(root).put(fingerprint('a'), bytes('a'));
  chmodSync(root, 0o555);
  chmodSync(join(root, `${fingerprint('a')}.bin`), 0o644);
  const body = ({ warmshard: { DiskPipelineCache, fingerprint } }: Inside, root: string) => {
    // Load the addon before the user changes, because the other user may have no access to the checkout.
    const cache = new DiskPipelineCache(root, { trust: 'system' });
    fingerprint('load it');
    if (process.getuid?.() === 0) {
      process.setgid?.(65534);
      process.setuid?.(65534);
    }
    cache.put(fingerprint('b'), new Uint8Array(10));
    const found = cache.get(fingerprint('a'))?.length;
    cache.flush();
    const { rejectedPuts, entries } = cache.metrics();
    return { rejectedPuts, entries, found };
  };
  t.deepEqual(await inChild(t, body, root), { rejectedPuts: 1, entries: 1, found: 1 });
  t.deepEqual(readdirSync(root), [`${fingerprint('a')}.bin`]);
  chmodSync(root, 0o700);
});

test('lent artifacts are released, and never use up the mappings of the process', async (t) => {
  if (!existsSync('/proc/self/maps')) {
    t.log('skipped: this system does not list mappings');
    t.pass();
    return;
  }
  const body = async (
    { warmshard: { DiskPipelineCache, fingerprint }, fs, collect }: Inside,
    root: string,
  ) => {
    const lent = () => fs.readFileSync('/proc/self/maps', 'utf8').split('.bin').length - 1;
    const cache = new DiskPipelineCache(root);
    const one = fingerprint('a');
    cache.put(one, new Uint8Array(256 * 1024).fill(3));
    const held: unknown[] = [];
    for (let i = 0; i < 8300; i++) {
      const found = cache.get(one);
      if (found?.at(-1) !== 3) throw new Error('not found');
      held.push(found);
    }
    const most = lent();
    held.length = 0;
    await collect();
    const left = lent();
    cache.get(one);
    return { most, left, again: lent() };
  };
  const { most, left, again } = await inChild(t, body, join(folder(t), 'cache'), {
    nodeArgs: ['--expose-gc'],
    env: { WARMSHARD_COPY: '' },
  });
  t.true(most > 8000 && most <= 8192, `${most}`);
  t.true(left < 10, `${left}`);
  t.true(again >= left);
});
