// A cache in memory was meant to save time, and used up all the memory.

import test from 'ava';
import fc from 'fast-check';
import { fingerprint, MemoryPipelineCache } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { throwsCode } from './helpers/throws.js';

const PRINTS = Array.from({ length: 8 }, (_, i) => fingerprint(String(i)));
const print = (i: number) => PRINTS[i] as Uint8Array;

test('what is put is found, as a copy', (t) => {
  const cache = new MemoryPipelineCache();
  const value = pattern(100, 1);
  cache.put(print(0), value);
  value.fill(0);
  same(t, cache.get(print(0)), pattern(100, 1));
  const buffer = Buffer.from('from the pool');
  cache.put(print(1), buffer);
  buffer.fill(0);
  t.is(text(cache.get(print(1))), 'from the pool');
  t.is(cache.get(print(1))?.constructor, Uint8Array);
  t.is(text(cache.get(Buffer.from(print(1)))), 'from the pool', 'any 32 bytes will do');
  t.is(cache.get(print(2)), undefined);
});

test('the least recently used goes first', (t) => {
  const cache = new MemoryPipelineCache({ maxEntries: 3 });
  for (const i of [0, 1, 2]) cache.put(print(i), bytes(String(i)));
  cache.get(print(0));
  cache.has(print(1));
  cache.put(print(3), bytes('3'));
  t.is(cache.get(print(1)), undefined, 'has() does not count as a use');
  cache.put(print(2), bytes('2 again'));
  cache.put(print(4), bytes('4'));
  t.is(cache.get(print(0)), undefined);
  t.deepEqual(
    [2, 3, 4].map((i) => text(cache.get(print(i)))),
    ['2 again', '3', '4'],
  );
  t.like(cache.metrics(), { entries: 3, evictions: 2, evictedBytes: 2, cachedBytes: 9, puts: 6 });
});

test('bytes are bounded, and several artifacts may be evicted for one', (t) => {
  const cache = new MemoryPipelineCache({ maxBytes: 100 });
  for (const i of [0, 1, 2, 3]) cache.put(print(i), pattern(25, i));
  t.is(cache.metrics().cachedBytes, 100);
  cache.put(print(4), pattern(51, 4));
  t.like(cache.metrics(), { entries: 2, cachedBytes: 76, evictions: 3, evictedBytes: 75 });
  cache.put(print(4), pattern(100, 4));
  t.like(cache.metrics(), { entries: 1, cachedBytes: 100, evictions: 4 });
});

test('an oversized put is rejected and drops the old value', (t) => {
  const cache = new MemoryPipelineCache({ maxBytes: 100 });
  cache.put(print(0), pattern(100, 1));
  cache.put(print(0), pattern(101, 1));
  t.is(cache.get(print(0)), undefined);
  t.like(cache.metrics(), { puts: 1, rejectedPuts: 1, entries: 0, cachedBytes: 0, evictions: 0 });
});

test('a budget of zero disables it', (t) => {
  for (const options of [{ maxEntries: 0 }, { maxBytes: 0 }, { maxEntries: 0, maxBytes: 0 }]) {
    const cache = new MemoryPipelineCache(options);
    cache.put(print(0), bytes('a'));
    cache.put(print(0), bytes(''));
    t.is(cache.get(print(0)), undefined);
    t.deepEqual(cache.metrics(), {
      ...{ lookups: 1, hits: 0, misses: 1, puts: 0, rejectedPuts: 2, evictions: 0, evictedBytes: 0 },
      ...{ flushes: 0, flushErrors: 0, cachedBytes: 0, entries: 0, hitRatePpm: 0 },
    });
  }
});

test('an artifact whose memory was transferred is a miss', (t) => {
  const cache = new MemoryPipelineCache();
  cache.put(print(0), pattern(10, 1));
  cache.put(print(1), bytes(''));
  const held = cache.get(print(0)) as Uint8Array;
  structuredClone(held, { transfer: [held.buffer as ArrayBuffer] });
  t.false(cache.has(print(0)));
  t.is(cache.get(print(0)), undefined, 'not an empty artifact');
  t.is(cache.get(print(1))?.length, 0);
  t.like(cache.metrics(), { entries: 1, cachedBytes: 0 });
});

test('wrong arguments are refused', (t) => {
  for (const options of [
    null,
    1,
    { maxEntries: -1 },
    { maxEntries: 1.5 },
    { maxBytes: '1' },
    { maxBytes: Number.NaN },
    { maxEntries: 2 ** 24 },
    { maxBytes: Number.POSITIVE_INFINITY },
  ])
    throwsCode(
      t,
      'ERR_INVALID_ARG',
      () => new MemoryPipelineCache(options as never),
      JSON.stringify(options),
    );
  const cache = new MemoryPipelineCache();
  for (const wrong of [
    undefined,
    'a',
    new Uint8Array(31),
    new DataView(new ArrayBuffer(32)),
  ] as Uint8Array[]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.get(wrong));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.has(wrong));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.remove(wrong));
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(wrong, bytes('a')));
  }
  throwsCode(t, 'ERR_INVALID_ARG', () => cache.put(print(0), 'text' as never));
  t.is(cache.metrics().entries, 0);
});

/** A simple, slow implementation of the same store. */
class Model {
  list: { key: number; value: Uint8Array }[] = [];
  evictions = 0;
  rejected = 0;
  constructor(
    readonly maxEntries: number,
    readonly maxBytes: number,
  ) {}
  get bytes(): number {
    return this.list.reduce((sum, { value }) => sum + value.length, 0);
  }
  get(key: number): Uint8Array | undefined {
    const found = this.list.find((entry) => entry.key === key);
    if (found) this.list = [...this.list.filter((entry) => entry !== found), found];
    return found?.value;
  }
  remove(key: number): boolean {
    const before = this.list.length;
    this.list = this.list.filter((entry) => entry.key !== key);
    return this.list.length < before;
  }
  put(key: number, value: Uint8Array): void {
    this.remove(key);
    if (this.maxEntries === 0 || this.maxBytes === 0 || value.length > this.maxBytes) {
      this.rejected++;
      return;
    }
    this.list.push({ key, value });
    while (this.list.length > this.maxEntries || this.bytes > this.maxBytes) {
      this.list.shift();
      this.evictions++;
    }
  }
}

test('it behaves like a simple model, whatever is done', (t) => {
  const key = fc.nat({ max: 7 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('put' as const), key, fc.nat({ max: 40 })) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('get' as const), key, fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('remove' as const), key, fc.constant(0)) },
  );
  const budget = fc.record({ maxEntries: fc.nat({ max: 5 }), maxBytes: fc.nat({ max: 100 }) });
  fc.assert(
    fc.property(budget, fc.array(step, { maxLength: 60 }), (options, steps) => {
      const cache = new MemoryPipelineCache(options);
      const model = new Model(options.maxEntries, options.maxBytes);
      let hits = 0;
      for (const [n, [what, key, length]] of steps.entries()) {
        if (what === 'put') {
          cache.put(print(key), pattern(length, n));
          model.put(key, pattern(length, n));
        } else if (what === 'remove') t.is(cache.remove(print(key)), model.remove(key));
        else {
          const [found, expected] = [cache.get(print(key)), model.get(key)];
          t.deepEqual(found, expected);
          if (found) hits++;
        }
        t.is(
          cache.has(print(key)),
          model.list.some((entry) => entry.key === key),
        );
      }
      const puts = steps.filter(([what]) => what === 'put').length - model.rejected;
      const { evictions, rejected: rejectedPuts } = model;
      t.like(cache.metrics(), {
        hits,
        puts,
        evictions,
        rejectedPuts,
        entries: model.list.length,
        cachedBytes: model.bytes,
      });
      t.is(cache.clear(), model.list.length);
      t.like(cache.metrics(), { entries: 0, cachedBytes: 0 });
    }),
    { numRuns: 300 },
  );
});
