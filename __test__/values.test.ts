// A value was a slice of a larger buffer; the cache stored the whole buffer, including other people's passwords.

import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

function shared(content: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(content.length + 8), 4, content.length);
  view.set(content);
  return view;
}

function resizable(content: Uint8Array): Uint8Array {
  // The type definitions do not contain this constructor yet.
  const Resizable = ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer;
  const view = new Uint8Array(new Resizable(content.length, { maxByteLength: 1 << 20 }));
  view.set(content);
  return view;
}

const SOURCES: Record<string, (content: Uint8Array) => ArrayBufferView> = {
  Uint8Array: (content) => content,
  Buffer: (content) => Buffer.from(content),
  'a pooled Buffer': (content) =>
    Buffer.concat([Buffer.from('before'), content, Buffer.from('after')]).subarray(6, -5),
  'a slice with an offset': (content) => {
    const whole = new Uint8Array(content.length + 11).fill(0xee);
    whole.set(content, 7);
    return whole.subarray(7, 7 + content.length);
  },
  'a DataView': (content) => new DataView(new Uint8Array([1, ...content]).buffer, 1),
  Uint8ClampedArray: (content) => new Uint8ClampedArray(content),
  Int8Array: (content) => new Int8Array(content.buffer.slice(0) as ArrayBuffer, 0, content.length),
  'shared memory': shared,
  'resizable memory': resizable,
  'a subclass': (content) => new (class Mine extends Uint8Array {})(content),
};

everyWay('exactly the bytes of a view are stored', (t, way) => {
  const shard = way.open();
  for (const length of [0, 1, 7, 16, 1000, 70_000]) {
    for (const [name, make] of Object.entries(SOURCES)) {
      const content = pattern(length, length);
      const view = make(content.slice()) as Uint8Array;
      shard.put('put', view);
      same(t, shard.get('put'), content, `${name} ${length}`);
      shard.mergeIn([['merged', view]]);
      same(t, shard.get('merged'), content, `${name} ${length} merged`);
    }
  }
});

everyWay('a value is a copy of what was put', async (t, way) => {
  const shard = way.open();
  const value = pattern(5000, 1);
  shard.put('put', value);
  shard.mergeIn([['merged', value]]);
  await shard.mergeInAsync([['async', value]]);
  value.fill(0);
  for (const key of ['put', 'merged', 'async']) same(t, shard.get(key), pattern(5000, 1), key);
});

test('of a view of resized memory the current bytes are stored', (t) => {
  using shard = Shard.open(shardPath(t));
  const view = resizable(pattern(100, 1));
  const memory = view.buffer as ArrayBuffer & { resize(length: number): void };
  memory.resize(50);
  shard.put('shrunk', view);
  same(t, shard.get('shrunk'), pattern(100, 1).subarray(0, 50));
  memory.resize(200);
  shard.put('grown', view);
  t.is(shard.get('grown')?.length, 200);
});

test('values from the shard itself can be put', (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('a', pattern(100_000, 1));
  for (let i = 0; i < 50; i++) shard.put(`${i}`, shard.get('a') as Uint8Array);
  shard.mergeIn([...shard.entries()].map(([key, value]) => [`${key} again`, value]));
  for (let i = 0; i < 50; i++) same(t, shard.get(`${i} again`), pattern(100_000, 1));
});

test('a value that is not a view is ERR_INVALID_ARG, and nothing is stored', async (t) => {
  const detached = new Uint8Array(10);
  structuredClone(detached, { transfer: [detached.buffer] });
  const bad: Record<string, unknown> = {
    undefined: undefined,
    null: null,
    text: 'text',
    number: 5,
    bigint: 5n,
    boolean: true,
    symbol: Symbol('s'),
    'an object': {},
    'an array of numbers': [1, 2, 3],
    'an array of a view': [bytes('x')],
    'an empty array': [],
    'memory without a view': new ArrayBuffer(8),
    'shared memory without a view': new SharedArrayBuffer(8),
    'something like a view': { buffer: new ArrayBuffer(8), byteOffset: 0, byteLength: 8, length: 8 },
    'a proxy of a view': new Proxy(bytes('x'), {}),
    'a view whose memory was transferred': detached,
    function: () => bytes('x'),
  };
  for (const options of [{}, { copy: true }, { access: 'read' as const }]) {
    using shard = Shard.open(shardPath(t), options);
    shard.put('kept', bytes('kept'));
    for (const [what, value] of Object.entries(bad)) {
      const v = value as Uint8Array;
      throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', v), what);
      throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', v, { expiresAt: 1e15 }), what);
      throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn([['key', v]]), what);
      throwsCode(t, 'ERR_INVALID_ARG', () => shard.replaceAll([['key', v]]), what);
      await rejectsCode(t, 'ERR_INVALID_ARG', () => shard.mergeInAsync([['key', v]]), what);
    }
    t.is(shard.size, 1);
    t.is(shard.generation, 1);
  }
});

test('shared memory that another thread writes to is stored consistently', async (t) => {
  const memory = new SharedArrayBuffer(100_000);
  const source = `
    const view = new Uint8Array(require('node:worker_threads').workerData);
    for (let i = 0; ; i++) view.fill(i);
  `;
  const writer = new Worker(source, { eval: true, workerData: memory });
  await new Promise((done) => writer.once('online', done));
  using shard = Shard.open(shardPath(t), { verify: 'always' });
  for (let i = 0; i < 300; i++) {
    shard.put('key', new Uint8Array(memory));
    t.is(shard.get('key')?.length, 100_000);
  }
  await writer.terminate();
  t.is(shard.stats().corrupt, 0);
  t.true(shard.verify().ok);
});
