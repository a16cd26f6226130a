// A pool of constants came back with 0 for -0, null for undefined and a rounded integer, and the program went on with them.

import test from 'ava';
import fc from 'fast-check';
import { type Constant, constantsCodec, Shard } from 'warmshard';
import { random } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

/** Whether two pools are the same, including types, the sign of zero and lone surrogates. */
function identical(a: readonly Constant[], b: readonly Constant[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

const SPECIAL: Constant[] = [
  undefined,
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1,
  -1,
  127,
  128,
  -128,
  -129,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 40 + 7,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 53,
  -(2 ** 53),
  2 ** 60,
  1e300,
  Number.MIN_VALUE,
  0.1,
  0n,
  -1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  9007199254740993n,
  '',
  'ascii',
  'zero\0byte',
  '\ufeffbom',
  '\ufffd',
  'grüße 日本語 🎉',
  '\ud800',
  'a\udc00b',
  '\udc00\ud800',
  'x'.repeat(70_000),
];

test('every kind of constant comes back unchanged', (t) => {
  for (const value of SPECIAL)
    t.true(identical(constantsCodec.decode(constantsCodec.encode([value])), [value]), String(value));
  t.true(identical(constantsCodec.decode(constantsCodec.encode(SPECIAL)), SPECIAL));
  t.deepEqual(constantsCodec.decode(constantsCodec.encode([])), []);
  // biome-ignore lint/suspicious/noSparseArray: a hole reads as undefined
  t.deepEqual(constantsCodec.decode(constantsCodec.encode([, 1])), [undefined, 1]);
});

test('every pool comes back unchanged (property)', (t) => {
  const constant = fc.oneof(
    fc.constantFrom(...SPECIAL),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.string({ unit: 'binary' }),
    // Any code units, including lone surrogates.
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(constant), (pool) => {
        const encoded = constantsCodec.encode(pool);
        return (
          identical(constantsCodec.decode(encoded), pool) &&
          identical(constantsCodec.decode(Buffer.concat([Buffer.from('?'), encoded]).subarray(1)), pool)
        );
      }),
      { numRuns: 500 },
    ),
  );
});

test('any other value is refused, and the error names its index and type', (t) => {
  const wrong: [unknown, RegExp][] = [
    [null, /constant 2 is null/],
    [true, /constant 2 is a boolean/],
    [{}, /constant 2 is an object/],
    [[1], /constant 2 is an array/],
    [new Uint8Array(1), /constant 2 is an object/],
    [new String('x'), /constant 2 is an object/],
    [Symbol('x'), /constant 2 is a symbol/],
    [() => 1, /constant 2 is a function/],
    [2n ** 63n, /constant 2 is a bigint of more than 64 bits/],
    [-(2n ** 63n) - 1n, /constant 2 is a bigint/],
  ];
  for (const [value, message] of wrong)
    t.regex(
      throwsCode(t, 'ERR_CODEC', () => constantsCodec.encode([1, 'x', value as never]))?.message ?? '',
      message,
    );
  for (const pool of [undefined, null, 1, 'abc', {}, new Set([1]), { length: 1, 0: 1 }])
    t.regex(throwsCode(t, 'ERR_CODEC', () => constantsCodec.encode(pool as never))?.message ?? '', /array/);
  throwsCode(t, 'ERR_CODEC', () => constantsCodec.decode('x' as never));
});

test('each value is read once, so a changing one cannot do harm', (t) => {
  let asked = 0;
  const pool = new Proxy([1], {
    get: (target, key) => (key === '0' ? (asked++ === 0 ? 1 : null) : Reflect.get(target, key)),
  });
  t.deepEqual(constantsCodec.decode(constantsCodec.encode(pool)), [1]);
});

test('bytes cut at any length are refused, and changed bytes give constants or are refused', (t) => {
  const encoded = constantsCodec.encode(SPECIAL.filter((value) => String(value).length < 100));
  for (let length = 0; length < encoded.length; length++)
    throwsCode(t, 'ERR_CODEC', () => constantsCodec.decode(encoded.subarray(0, length)), `${length}`);
  throwsCode(t, 'ERR_CODEC', () => constantsCodec.decode(Buffer.concat([encoded, Buffer.from([0])])));
  for (let at = 0; at < encoded.length; at++)
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = Uint8Array.from(encoded);
      damaged[at] = (damaged[at] as number) ^ flip;
      decodeOrRefuse(damaged);
    }
  t.pass();
});

test('random bytes give constants or ERR_CODEC, and never allocate large memory', (t) => {
  const next = random(3);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: next(40) }, () => (next(3) === 0 ? next(256) : next(8)));
    if (next(2) === 0) bytes.set([0xc7, 1].slice(0, bytes.length));
    decodeOrRefuse(bytes);
  }
  // Counts and lengths far larger than the input.
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  for (const head of [[], [1], [1, 5], [1, 6], [2, 0, 5]])
    throwsCode(t, 'ERR_CODEC', () => constantsCodec.decode(Uint8Array.from([0xc7, 1, ...head, ...huge])));
  throwsCode(t, 'ERR_CODEC', () =>
    constantsCodec.decode(Uint8Array.from([0xc7, 1, ...huge, ...huge, ...huge])),
  );
  t.regex(
    throwsCode(t, 'ERR_CODEC', () => constantsCodec.decode(Uint8Array.from([0xc7, 2, 0])))?.message ?? '',
    /version 2/,
  );
});

function decodeOrRefuse(bytes: Uint8Array): void {
  try {
    const values = constantsCodec.decode(bytes);
    if (values.length > bytes.length) throw new Error('more values than bytes');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_CODEC') throw error;
  }
}

test("a shard knows the codec by the name 'constants'", (t) => {
  const path = shardPath(t);
  using shard = Shard.open<Constant[]>(path, { codec: 'constants' });
  shard.put('pool', SPECIAL);
  t.true(identical(shard.get('pool') ?? [], SPECIAL));
  t.regex(
    throwsCode(t, 'ERR_CODEC', () => shard.put('pool', [null as never]))?.message ?? '',
    /constant 0 is null/,
  );
  using same = Shard.open<Constant[]>(path, { codec: constantsCodec });
  t.true(identical(same.get('pool') ?? [], SPECIAL));
  using raw = Shard.open(path);
  raw.put('pool', new Uint8Array(3));
  throwsCode(t, 'ERR_CODEC', () => shard.get('pool'));
});
