// A tool cached its manifest as JSON; when a value could not be encoded one day, the cache threw an error that nothing caught.

import test from 'ava';
import { type Codec, Shard, WarmshardError } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const TEXTS = ['', 'a', 'é', 'e\u0301', '\0', '\ufeffmark', '🦀'.repeat(5000), 'x'.repeat(100_000)];

everyWay('the codec utf8 keeps every text unchanged', (t, way) => {
  const shard = way.open<string>({ codec: 'utf8' });
  for (const [i, value] of TEXTS.entries()) shard.put(`${i}`, value);
  for (const [i, value] of TEXTS.entries()) t.is(shard.get(`${i}`), value);
  t.deepEqual(shard.getMany(TEXTS.map((_, i) => `${i}`)), TEXTS);
  t.deepEqual(
    [...shard].map(([, value]) => value),
    TEXTS,
  );
  t.is(Buffer.from(shard.getParts('2')?.[''] ?? []).toString(), 'é');
});

everyWay('the codec json keeps what JSON can represent', (t, way) => {
  const values = [null, false, 0, -1.5, '', 'text', [], [1, [2]], { a: { b: ['c'] } }, 'x'.repeat(50_000)];
  const shard = way.open<unknown>({ codec: 'json' });
  t.is(shard.mergeIn(values.map((value, i) => [`${i}`, value])), values.length);
  for (const [i, value] of values.entries()) t.deepEqual(shard.get(`${i}`), value);
});

everyWay('the codec structured keeps what structuredClone keeps', (t, way) => {
  const value = new Map<unknown, unknown>([
    ['big', 2n ** 70n],
    ['when', new Date(5)],
    ['set', new Set([1, undefined])],
    ['pattern', /a+/gi],
    ['floats', new Float64Array([1.5, Number.NaN])],
  ]);
  value.set('self', value);
  const shard = way.open<Map<unknown, unknown>>({ codec: 'structured' });
  shard.put('key', value);
  const back = shard.get('key');
  t.is(back?.get('self'), back);
  for (const key of ['big', 'when', 'set', 'pattern', 'floats']) t.deepEqual(back?.get(key), value.get(key));
});

everyWay('a program can use a codec of its own', (t, way) => {
  const codec: Codec<number[]> = {
    encode: (value) => new Uint8Array(Float64Array.from(value).buffer),
    decode: (encoded) => [...new Float64Array(encoded.slice().buffer)],
  };
  const shard = way.open({ codec });
  shard.put('key', [1, 2.5]);
  shard.put('none', []);
  t.deepEqual(shard.get('key'), [1, 2.5]);
  t.deepEqual(shard.get('none'), []);
  t.deepEqual(
    [...shard.entries()],
    [
      ['key', [1, 2.5]],
      ['none', []],
    ],
  );
});

test('a codec is called as a method of its object', (t) => {
  class Prefix implements Codec<string> {
    readonly #prefix = '> ';
    encode(value: string) {
      return Buffer.from(this.#prefix + value);
    }
    decode(encoded: Uint8Array) {
      return Buffer.from(encoded).toString().slice(this.#prefix.length);
    }
  }
  using shard = Shard.open(shardPath(t), { codec: new Prefix() });
  shard.put('key', 'value');
  t.is(shard.get('key'), 'value');
});

test('a value that cannot be encoded is ERR_CODEC, with its cause, and nothing is stored', (t) => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const cases: [Codec<unknown> | 'utf8' | 'json' | 'structured', unknown][] = [
    ['utf8', 5],
    ['utf8', undefined],
    ['utf8', 'lone \ud800'],
    ['json', undefined],
    ['json', () => {}],
    ['json', 1n],
    ['json', cycle],
    ['structured', () => {}],
    ['structured', Symbol('s')],
    [{ encode: () => 'text' as never, decode: () => 0 }, 0],
    [{ encode: () => [bytes('x')] as never, decode: () => 0 }, 0],
    [
      {
        encode() {
          throw 'not even an error';
        },
        decode: () => 0,
      },
      0,
    ],
  ];
  for (const [codec, value] of cases) {
    using shard = Shard.open<unknown>(shardPath(t), { codec });
    for (const write of [
      () => shard.put('key', value),
      () => shard.mergeIn([['key', value]]),
      () => shard.replaceAll([['key', value]]),
    ]) {
      throwsCode(t, 'ERR_CODEC', write, String(codec));
      t.is(shard.size, 0);
    }
  }
  const reason = new Error('reason');
  using shard = Shard.open<unknown>(shardPath(t), {
    codec: {
      encode() {
        throw reason;
      },
      decode: () => 0,
    },
  });
  t.is(throwsCode(t, 'ERR_CODEC', () => shard.put('key', 1))?.cause, reason);
});

test('a value that cannot be decoded is ERR_CODEC, and other entries are not affected', (t) => {
  const path = shardPath(t);
  using raw = Shard.open(path);
  raw.put('bad', new Uint8Array([0xff, 0xfe, 0x00]));
  raw.put('good', bytes('"good"'));
  for (const codec of ['utf8', 'json', 'structured'] as const) {
    using shard = Shard.open<unknown>(path, { codec });
    const error = throwsCode(t, 'ERR_CODEC', () => shard.get('bad'), codec);
    t.true(error?.cause instanceof Error);
    throwsCode(t, 'ERR_CODEC', () => shard.getMany(['good', 'bad']), codec);
    throwsCode(t, 'ERR_CODEC', () => [...shard.entries()], codec);
    t.true(shard.has('bad'));
  }
  using json = Shard.open(path, { codec: 'json' });
  t.is(json.get('good') as unknown, 'good');
});

test('a codec may use the shard, and even close it', (t) => {
  const path = shardPath(t);
  const shard: Shard<string> = Shard.open<string>(path, {
    codec: {
      encode(value) {
        if (value === 'outer') shard.put('inner', 'from within');
        if (value === 'last') shard.close();
        return Buffer.from(value);
      },
      decode(encoded) {
        const value = Buffer.from(encoded).toString();
        return value === 'outer' ? `outer with ${shard.get('inner')}` : value;
      },
    },
  });
  shard.put('outer', 'outer');
  t.is(shard.get('outer'), 'outer with from within');
  shard.mergeIn([
    ['a', 'outer'],
    ['b', 'b'],
  ]);
  t.is(shard.size, 4);
  throwsCode(t, 'ERR_CLOSED', () => shard.put('key', 'last'));
  using again = Shard.open(path);
  t.is(again.size, 4);
});

test('the codec is not stored in the file', (t) => {
  const path = shardPath(t);
  using texts = Shard.open<string>(path, { codec: 'utf8' });
  texts.put('key', '{"a":1}');
  using json = Shard.open<{ a: number }>(path, { codec: 'json' });
  t.deepEqual(json.get('key'), { a: 1 });
});

test('an ERR_CODEC has no properties beside its code and cause', (t) => {
  using shard = Shard.open<string>(shardPath(t), { codec: 'utf8' });
  const error = t.throws(() => shard.put('key', 1 as never), { instanceOf: WarmshardError });
  t.deepEqual(Object.keys(error ?? {}), ['code']);
  t.is(error?.name, 'WarmshardError');
});
