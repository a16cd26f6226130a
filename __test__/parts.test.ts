// A compiler stored code and source map under two keys; a crash in between left new code with an old map.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

type Blobs = Record<'code' | 'map', Uint8Array>;
const PARTS = { parts: ['code', 'map'] } as const;

everyWay('the parts of an entry are stored and found together', (t, way) => {
  const shard = way.open<Blobs>(PARTS);
  for (let i = 0; i < 200; i++) shard.put(`${i}`, { code: pattern(i * 99, i), map: pattern(i, -i) });
  for (const handle of [shard, way.open<Blobs>(PARTS)]) {
    for (let i = 0; i < 200; i++) {
      const value = handle.get(`${i}`);
      same(t, value?.code, pattern(i * 99, i));
      same(t, value?.map, pattern(i, -i));
      t.deepEqual(Object.keys(value ?? {}), ['code', 'map']);
      same(t, handle.getParts(`${i}`)?.map, pattern(i, -i));
    }
    t.is(handle.get('200'), undefined);
    t.is(handle.getParts('200'), undefined);
  }
  t.deepEqual(shard.info('7')?.parts, { code: 693, map: 7 });
  t.is(shard.info('7')?.bytes, 700);
});

everyWay('the order of the properties of a value does not matter, and parts may be empty', (t, way) => {
  const shard = way.open<Blobs>(PARTS);
  shard.mergeIn([['key', { map: bytes('m'), code: new Uint8Array() }]]);
  t.is(text(shard.get('key')?.map), 'm');
  t.is(shard.get('key')?.code.length, 0);
});

everyWay('a codec is applied to each part', (t, way) => {
  const shard = way.open<Record<string, string>>({ parts: ['a', 'b'], codec: 'utf8' as never });
  shard.put('key', { a: 'one', b: 'é' });
  t.deepEqual(shard.get('key'), { a: 'one', b: 'é' });
  t.is(text(shard.getParts('key')?.b), 'é');
});

everyWay('an entry may have thirty-two parts of any size', (t, way) => {
  const names = Array.from({ length: 32 }, (_, i) => `part ${i}`);
  const shard = way.open<Record<string, Uint8Array>>({ parts: names });
  const value = Object.fromEntries(names.map((name, i) => [name, pattern(i * i * i, i)]));
  shard.put('key', value);
  const back = shard.get('key');
  for (const name of names) same(t, back?.[name], value[name], name);
  t.deepEqual(Object.keys(back ?? {}), names);
});

everyWay('without the option, getParts returns one part with an empty name', (t, way) => {
  const shard = way.open();
  shard.put('key', bytes('value'));
  t.deepEqual(Object.keys(shard.getParts('key') ?? {}), ['']);
  t.is(text(shard.getParts('key')?.['']), 'value');
});

test('a value without exactly the parts is refused, and nothing is stored', (t) => {
  using shard = Shard.open<Blobs>(shardPath(t), PARTS);
  const [code, map] = [bytes('c'), bytes('m')];
  const values: unknown[] = [
    undefined,
    null,
    code,
    'text',
    {},
    { code },
    { code, map, more: map },
    { code, mop: map },
    { code, map: undefined },
    { code, map: 'text' },
    [code, map],
    [code],
  ];
  for (const value of values) {
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', value as never));
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn([['key', value as never]]));
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.replaceAll([['key', value as never]]));
  }
  t.is(shard.size, 0);
});

test('invalid names of parts are refused', (t) => {
  const path = shardPath(t);
  const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
  for (const parts of [
    [],
    names(33),
    ['a', 'a'],
    ['é'.repeat(33)],
    [1],
    'code',
    {},
    ['\ud800'],
    ['__proto__'],
  ])
    throwsCode(
      t,
      'ERR_INVALID_ARG',
      () => Shard.open(path, { parts: parts as never }),
      JSON.stringify(parts),
    );
  Shard.open(path, { parts: ['é'.repeat(32), '', 'constructor', 'toString'] }).close();
});

test('entries with other parts are stale, like those of another host', (t) => {
  const path = shardPath(t);
  using two = Shard.open<Blobs>(path, PARTS);
  two.put('key', { code: bytes('c'), map: bytes('m') });
  using other = Shard.open<Record<string, Uint8Array>>(path, { parts: ['code', 'source'] });
  using one = Shard.open(path);
  for (const shard of [other, one]) {
    t.is(shard.get('key'), undefined);
    t.is(shard.stats().stale, 1);
  }
  t.deepEqual(one.list()[0]?.parts, { 0: 1, 1: 1 });
});
