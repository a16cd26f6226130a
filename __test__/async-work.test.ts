// A user cancelled a compaction and half of the cache was lost; before that, it had stalled the server.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { AutoloadCache, type Progress, Shard, type WorkOptions } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { rejectsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const batch = (count: number, name = ''): [string, Uint8Array][] =>
  Array.from({ length: count }, (_, i) => [`${name}${i}`, pattern(i % 2000, i)]);

/** Every method that works off the event loop. */
const WORK: Record<string, (shard: Shard, options: WorkOptions) => Promise<unknown>> = {
  mergeInAsync: (s, options) => s.mergeInAsync(batch(3000, 'new '), options),
  'mergeInAsync of nothing': (s, options) => s.mergeInAsync([], options),
  replaceAllAsync: (s, options) => s.replaceAllAsync(batch(3000, 'new '), options),
  compactAsync: (s, options) => s.compactAsync(options),
  verifyAsync: (s, options) => s.verifyAsync(options),
  flushAsync: (s, options) => s.flushAsync(options),
  evictStaleAsync: (s, options) => s.evictStaleAsync(options),
};

everyWay('asynchronous forms do the same as the others', async (t, way) => {
  const shard = way.open();
  await shard.mergeInAsync(batch(1000));
  shard.put('0', bytes('x'));
  shard.put('expired', bytes('x'), { expiresAt: 1 });
  t.is(await shard.evictStaleAsync(), 1);
  t.like(await shard.verifyAsync(), { ok: true, entries: 1000 });
  t.is(await shard.flushAsync(), undefined);
  t.true(shard.durability().durable);
  t.like(await shard.compactAsync(), { kept: 1000, replaced: true });
  t.is(text(shard.get('0')), 'x');
  same(t, shard.get('999'), pattern(999, 999));
});

test('work whose signal is already aborted does not begin', async (t) => {
  using shard = Shard.open(shardPath(t));
  shard.mergeIn(batch(100));
  const before = shard.generation;
  for (const [name, work] of Object.entries(WORK)) {
    const error = await rejectsCode(
      t,
      'ERR_ABORTED',
      () => work(shard, { signal: AbortSignal.abort() }),
      name,
    );
    t.is(error?.path, undefined);
  }
  t.is(shard.generation, before);
  t.is(shard.size, 100);
});

test('if the signal is already aborted, the batch is not asked for its entries', async (t) => {
  using shard = Shard.open(shardPath(t));
  using functions = AutoloadCache.open(shardPath(t), { host: { name: 'app', version: '1' } });
  let asked = 0;
  function* entries(): Generator<[string, Uint8Array]> {
    asked++;
    yield ['key', bytes('value')];
  }
  const signal = AbortSignal.abort();
  for (const store of [shard, functions])
    for (const write of ['mergeInAsync', 'replaceAllAsync'] as const) {
      await rejectsCode(t, 'ERR_ABORTED', () => store[write](entries(), { signal }));
      t.is(asked, 0, write);
      // Otherwise the entries are read before the call returns.
      const running = store[write](entries());
      t.is(asked--, 1, write);
      t.is(await running, 1);
    }
  // Aborting while the entries are read aborts the work.
  const controller = new AbortController();
  function* aborting(): Generator<[string, Uint8Array]> {
    controller.abort();
    yield ['other', bytes('value')];
  }
  await rejectsCode(t, 'ERR_ABORTED', () => shard.mergeInAsync(aborting(), controller));
  t.false(shard.has('other'));
});

test('work that is aborted while it waits for a thread publishes nothing', async (t) => {
  using shard = Shard.open(shardPath(t), { autoCompact: false });
  shard.mergeIn(batch(2000));
  const pipe = join(folder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [name, work] of Object.entries(WORK)) {
    if (name.endsWith('nothing')) continue;
    const before = shard.generation;
    const controller = new AbortController();
    // Every thread of the pool blocks until something opens the pipe for writing.
    const busy = Array.from({ length: 4 }, () => open(pipe, 'r'));
    const running = work(shard, { signal: controller.signal });
    controller.abort();
    const writer = openSync(pipe, 'r+');
    await rejectsCode(t, 'ERR_ABORTED', () => running, name);
    for (const reader of await Promise.all(busy)) await reader.close();
    closeSync(writer);
    t.is(shard.generation, before, name);
    t.is(shard.size, 2000, name);
  }
  t.true(shard.verify().ok);
});

test('an abort in the middle of the work, or too late, gives all or nothing', async (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('kept', bytes('kept'));
  const large = Array.from({ length: 400 }, (_, i): [string, Uint8Array] => [`${i}`, pattern(100_000, i)]);
  let outcomes = '';
  for (const delay of [0, 1, 3, 6, 10, 15, 25, 50]) {
    const controller = new AbortController();
    const running = shard.replaceAllAsync(large, { signal: controller.signal });
    setTimeout(() => controller.abort(), delay);
    try {
      t.is(await running, 400);
      outcomes += 'done ';
      t.is(shard.size, 400);
    } catch (error) {
      t.is((error as { code: string }).code, 'ERR_ABORTED');
      outcomes += 'aborted ';
      t.is(text(shard.get('kept')), 'kept');
      t.is(shard.size, 1);
    }
    shard.replaceAll([['kept', bytes('kept')]]);
  }
  t.log(outcomes);
});

test('onProgress is called during the work, and at its end', async (t) => {
  using shard = Shard.open(shardPath(t), { autoCompact: false });
  shard.mergeIn(batch(5000));
  for (const [name, work] of Object.entries(WORK)) {
    const calls: Progress[] = [];
    await work(shard, { onProgress: (progress) => calls.push(progress) });
    t.true(calls.length > 0, name);
    for (const [i, { done, total }] of calls.entries()) {
      t.true(Number.isInteger(done) && Number.isInteger(total) && done >= (calls[i - 1]?.done ?? 0), name);
    }
    t.deepEqual(Object.keys(calls[0] ?? {}), ['done', 'total']);
    if (name === 'mergeInAsync') t.deepEqual(calls.at(-1), { done: 3000, total: 3000 });
  }
});

test('an error thrown by onProgress ends the work, not the process', async (t) => {
  using shard = Shard.open(shardPath(t));
  const boom = new Error('boom');
  const onProgress = () => {
    throw boom;
  };
  for (const [name, work] of Object.entries(WORK))
    t.is(await t.throwsAsync(() => work(shard, { onProgress })), boom, name);
});

test('no listeners pile up on a signal that is used again and again', async (t) => {
  using shard = Shard.open(shardPath(t));
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners -= 1;
    removeEventListener.apply(signal, args);
  };
  for (let i = 0; i < 20; i++) await shard.mergeInAsync(batch(10), { signal });
  t.is(listeners, 0);
});

everyWay('the shard stays usable during the work, and then sees the result', async (t, way) => {
  const shard = way.open();
  shard.mergeIn(batch(2000));
  const running = [
    shard.mergeInAsync(batch(2000, 'a')),
    shard.compactAsync(),
    shard.verifyAsync(),
    shard.mergeInAsync(batch(2000, 'b')),
    shard.flushAsync(),
    shard.evictStaleAsync(),
  ];
  let ticks = 0;
  const ticking = setInterval(() => {
    ticks += 1;
    shard.put(`tick ${ticks}`, bytes(`${ticks}`));
    same(t, shard.get('1999'), pattern(1999, 1999));
  }, 1);
  await Promise.all(running);
  clearInterval(ticking);
  t.is(shard.size, 6000 + ticks);
  for (let i = 1; i <= ticks; i++) t.is(text(shard.get(`tick ${i}`)), `${i}`);
  t.true(shard.verify().ok);
});
