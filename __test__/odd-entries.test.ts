// One key in a batch of thousands contained an umlaut: it was stored under another name, and its neighbours were not stored.

import test from 'ava';
import { type Entry, Shard } from 'warmshard';
import { bytes, pattern, same } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

/** Entries that the addon reads at a time; see facade/later/values.ts. */
const RUN = 64;

type Item = [string, Uint8Array] | Entry<Uint8Array>;

/** A concatenated string, which V8 keeps in pieces. */
const pieced = (text: string) => [...text].reduce((sum, one) => sum + one, '');
const resizable = (bytes: Uint8Array): Uint8Array => {
  const buffer = new ArrayBuffer(bytes.length, { maxByteLength: 2 * bytes.length });
  const view = new Uint8Array(buffer);
  view.set(bytes);
  return view;
};
const shared = (bytes: Uint8Array): Uint8Array => {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
};

const KEYS: Record<string, (i: number) => string> = {
  'two-byte': (i) => `schlüssel-\u{1F511}-${i}`,
  'one-byte beyond ASCII': (i) => `schl\xfcssel-${i}`,
  pieces: (i) => pieced(`put together of pieces ${i}`),
  'a slice': (i) => `${'x'.repeat(50)}a slice of a longer string ${i}`.slice(50),
  'the longest': (i) => `${i}-`.padEnd(4094, 'k'),
  'the longest, of three bytes a character': (i) => `${i}-`.padEnd(1300, '\u20ac'),
  'with a zero': (i) => `\0zero-${i}\0`,
  'one character': (i) => String.fromCharCode(0x4e00 + i),
};

const VALUES: Record<string, (i: number) => Uint8Array> = {
  empty: () => new Uint8Array(0),
  'on the heap': (i) => Uint8Array.of(i, 1, 2),
  'of a pool': (i) => Buffer.from(`pooled ${i}`),
  'behind an offset': (i) => pattern(500, i).subarray(100, 400),
  resizable: (i) => resizable(pattern(300, i)),
  shared: (i) => shared(pattern(300, i)),
  large: (i) => pattern(70_000, i),
};

test('unusual keys and values are stored correctly anywhere among plain ones', (t) => {
  const batch: Item[] = [];
  let at = 0;
  for (const [key, value] of Object.entries({ ...KEYS, ...VALUES })) {
    for (const gap of [0, 1, RUN - 2, RUN]) {
      for (let i = 0; i < gap; i++, at++) batch.push([`plain-${at}`, pattern(at % 100, at)]);
      const name = key in KEYS ? (value(at) as string) : `with the value: ${key} ${at}`;
      const stored = key in VALUES ? (value(at) as Uint8Array) : pattern(50, at);
      batch.push(at % 2 ? [name, stored] : { key: name, value: stored, validator: bytes(`${at}`) });
      at++;
    }
  }
  const check = (shard: Shard) => {
    t.is(shard.size, batch.length);
    for (const entry of batch) {
      if (Array.isArray(entry)) same(t, shard.get(entry[0]), entry[1]);
      else {
        same(t, shard.get(entry.key, entry.validator), entry.value);
        t.is(shard.get(entry.key, bytes('another')), undefined);
      }
    }
    t.true(shard.verify().ok);
  };
  using merged = Shard.open(shardPath(t));
  t.is(merged.mergeIn(batch), batch.length);
  check(merged);
  using replaced = Shard.open(shardPath(t));
  t.is(replaced.replaceAll(batch.values()), batch.length);
  check(replaced);
});

test('a batch may consist of long keys only, more than fit into one run', (t) => {
  using shard = Shard.open(shardPath(t));
  const batch = Array.from(
    { length: 3 * RUN },
    (_, i): Item => [`${i}-`.padEnd(500 + 18 * i, 'k'), pattern(i, i)],
  );
  t.is(shard.mergeIn(batch), batch.length);
  for (const [key, value] of batch as [string, Uint8Array][]) same(t, shard.get(key), value);
});

test('batches of every length around that of a run are stored completely', (t) => {
  using shard = Shard.open(shardPath(t));
  for (const length of [1, 2, 3, 4, 5, RUN - 1, RUN, RUN + 1, RUN + 3, 2 * RUN - 1, 2 * RUN, 2 * RUN + 1]) {
    const batch = Array.from({ length }, (_, i): Item => [`${length}/${i}`, pattern(i, length)]);
    t.is(shard.replaceAll(batch), length);
    t.is(shard.size, length);
    t.deepEqual(
      [...shard.keys()],
      batch.map((entry) => (entry as [string, Uint8Array])[0]),
    );
    for (let i = 0; i < length; i++) same(t, shard.get(`${length}/${i}`), pattern(i, length));
  }
});

test('one bad entry anywhere in a run, and nothing of the batch is stored', (t) => {
  using shard = Shard.open(shardPath(t));
  const lone = 'half of a pair: \ud83d';
  const taken = pattern(1000, 1);
  structuredClone(taken, { transfer: [taken.buffer as ArrayBuffer] });
  const bad: [Item, 'ERR_INVALID_KEY' | 'ERR_INVALID_ARG', RegExp][] = [
    [[lone, bytes('x')], 'ERR_INVALID_KEY', /lone surrogate/],
    [['', bytes('x')], 'ERR_INVALID_KEY', /is empty/],
    [['k'.repeat(4095), bytes('x')], 'ERR_INVALID_KEY', /4095 bytes long/],
    [['k'.repeat(1 << 20), bytes('x')], 'ERR_INVALID_KEY', /over 4096 bytes long/],
    [[7 as never, bytes('x')], 'ERR_INVALID_KEY', /must be a string/],
    [['key', taken], 'ERR_INVALID_ARG', /transferred/],
    [['key', 'text' as never], 'ERR_INVALID_ARG', /must be a Uint8Array/],
    [['key', undefined as never], 'ERR_INVALID_ARG', /must be a Uint8Array/],
  ];
  for (const [entry, code, message] of bad) {
    for (const at of [0, 1, RUN - 1, RUN, RUN + 1, 2 * RUN]) {
      const batch = Array.from({ length: 2 * RUN }, (_, i): Item => [`${i}`, pattern(i, i)]);
      batch.splice(at, 0, entry);
      t.regex(throwsCode(t, code, () => shard.mergeIn(batch))?.message ?? '', message);
      t.regex(throwsCode(t, code, () => shard.replaceAll(batch))?.message ?? '', message);
    }
  }
  t.is(shard.size, 0);
});

test('a program may replace Reflect.apply', (t) => {
  using shard = Shard.open(shardPath(t));
  const batch = Array.from({ length: 2 * RUN }, (_, i): [string, Uint8Array] => [`${i}`, pattern(i, i)]);
  const { apply } = Reflect;
  shard.mergeIn(batch.slice(0, 10));
  try {
    Reflect.apply = () => {
      throw new Error('not for warmshard');
    };
    t.is(shard.replaceAll(batch), batch.length);
  } finally {
    Reflect.apply = apply;
  }
  for (const [key, value] of batch) same(t, shard.get(key), value);
});
