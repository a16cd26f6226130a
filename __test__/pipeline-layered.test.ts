// The fast cache in front stayed empty, because found artifacts were not copied into it.

import { join } from 'node:path';
import test from 'ava';
import {
  DiskPipelineCache,
  fingerprint,
  LayeredPipelineCache,
  MemoryPipelineCache,
  type PipelineMetrics,
  type PipelineStore,
} from 'warmshard';
import { bytes, same, text } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

const ONE = fingerprint('one');
const TWO = fingerprint('two');

/** A store that logs its calls. */
class Noted implements PipelineStore {
  constructor(
    readonly name: string,
    readonly log: string[],
    readonly inner = new MemoryPipelineCache(),
  ) {}
  get(fingerprint: Uint8Array): Uint8Array | undefined {
    this.log.push(`${this.name} get`);
    return this.inner.get(fingerprint);
  }
  put(fingerprint: Uint8Array, artifact: Uint8Array): void {
    this.log.push(`${this.name} put`);
    this.inner.put(fingerprint, artifact);
  }
  flush(): void {
    this.log.push(`${this.name} flush`);
    this.inner.flush();
  }
  metrics(): PipelineMetrics {
    return this.inner.metrics();
  }
}

function three() {
  const log: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Noted(name, log)) as [Noted, Noted, Noted];
  return { log, a, b, c };
}

test('layers are asked in order, and the faster ones are filled, the slowest of them first', (t) => {
  const { log, a, b, c } = three();
  const layered = new LayeredPipelineCache([a, b, c]);
  t.is(layered.get(ONE), undefined);
  t.deepEqual(log.splice(0), ['a get', 'b get', 'c get']);
  c.inner.put(ONE, bytes('1'));
  t.is(text(layered.get(ONE)), '1');
  t.deepEqual(log.splice(0), ['a get', 'b get', 'c get', 'b put', 'a put']);
  t.is(text(layered.get(ONE)), '1');
  t.deepEqual(log.splice(0), ['a get']);
  b.inner.put(TWO, bytes('2'));
  t.is(text(layered.get(TWO)), '2');
  t.deepEqual(log.splice(0), ['a get', 'b get', 'a put']);
  t.is(c.inner.get(TWO), undefined, 'a slower one is not filled');
});

test('put writes to the first layer, or to all', (t) => {
  const { log, a, b, c } = three();
  new LayeredPipelineCache(a, b, c).put(ONE, bytes('1'));
  t.deepEqual(log.splice(0), ['a put']);
  new LayeredPipelineCache([a, b, c], { write: 'first' }).put(ONE, bytes('1'));
  t.deepEqual(log.splice(0), ['a put']);
  new LayeredPipelineCache([a, b, c], { write: 'all' }).put(ONE, bytes('1'));
  t.deepEqual(log.splice(0), ['a put', 'b put', 'c put']);
});

test('all layers are flushed even if one fails, and the first error is thrown', (t) => {
  const { log, a, b, c } = three();
  const failing = (name: string): PipelineStore => ({
    get: (print) => a.get(print),
    put: (print, artifact) => a.put(print, artifact),
    metrics: () => a.metrics(),
    flush: () => {
      log.push(name);
      throw new Error(name);
    },
  });
  const layered = new LayeredPipelineCache([a, failing('first'), b, failing('second'), c]);
  t.throws(() => layered.flush(), { message: 'first' });
  t.deepEqual(log, ['a flush', 'first', 'b flush', 'second', 'c flush']);
});

test('a layer that cannot be filled does not make a get fail', (t) => {
  const root = join(folder(t), 'cache');
  new DiskPipelineCache(root).put(ONE, bytes('1'));
  const shipped = new DiskPipelineCache(join(folder(t), 'shipped'), { readOnly: true });
  const layered = new LayeredPipelineCache(shipped, new DiskPipelineCache(root));
  t.is(text(layered.get(ONE)), '1');
  throwsCode(t, 'ERR_READ_ONLY', () => layered.put(TWO, bytes('2')), 'but a put to it throws');
});

test('metrics: look-ups are its own, everything else is the sum over the layers', (t) => {
  const memory = new MemoryPipelineCache({ maxEntries: 1 });
  const disk = new DiskPipelineCache(join(folder(t), 'cache'));
  const layered = new LayeredPipelineCache([memory, disk], { write: 'all' });
  t.is(layered.metrics().hitRatePpm, 0);
  layered.put(ONE, bytes('11'));
  layered.put(TWO, bytes('2'));
  layered.get(ONE);
  layered.get(ONE);
  layered.get(fingerprint('three'));
  layered.flush();
  t.deepEqual(layered.metrics(), {
    lookups: 3,
    hits: 2,
    misses: 1,
    // Two puts into each of two layers, and one that filled the memory.
    puts: 5,
    rejectedPuts: 0,
    evictions: 2,
    evictedBytes: 3,
    flushes: 2,
    flushErrors: 0,
    cachedBytes: 2 + 67,
    entries: 3,
    hitRatePpm: 666_666,
  });
});

test('layered caches can be layers, also for large artifacts', (t) => {
  const disk = new DiskPipelineCache(join(folder(t), 'cache'));
  const inner = new LayeredPipelineCache(new MemoryPipelineCache(), disk);
  const outer = new LayeredPipelineCache(new MemoryPipelineCache(), inner);
  const large = new Uint8Array(1 << 20).fill(5);
  disk.put(ONE, large);
  for (const store of [outer, inner, outer]) same(t, store.get(ONE), large);
  disk.clear();
  same(t, outer.get(ONE), large);
});

test('wrong layers are refused', (t) => {
  const store = new MemoryPipelineCache();
  const wrong: unknown[][] = [
    [],
    [[]],
    [null],
    [[null]],
    [store, undefined],
    [[store, {}]],
    [store, { write: 'all' }],
  ];
  wrong.push([[store], { write: 'none' }], [[store], 1], [Array(17).fill(store)], ['ab'], [new Map()]);
  for (const args of wrong)
    throwsCode(
      t,
      'ERR_INVALID_ARG',
      () => new LayeredPipelineCache(...(args as [PipelineStore])),
      String(args),
    );
  const layered = new LayeredPipelineCache(store);
  throwsCode(t, 'ERR_INVALID_ARG', () => layered.get('a' as never));
  throwsCode(t, 'ERR_INVALID_ARG', () => layered.put(ONE, 'a' as never));
  t.is(layered.metrics().lookups, 0);
});
