// Two files had names that look the same on screen, and the cache confused them.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const LONGEST = 4094;

// One-byte strings, two-byte strings, and pairs that become equal if they are read carelessly.
const DIFFERENT = [
  'a',
  'A',
  'Ł', // U+0141: its low byte is that of 'A'
  '\u0441', // Cyrillic es: its low byte is that of 'A' too
  'é',
  'e\u0301',
  'Ã©', // the UTF-8 bytes of é, one by one
  '\u00ff',
  'ÿ\u0100',
  '\ufffd', // what a lone surrogate would become
  '\ufeffa',
  'a\ufeff',
  '\0',
  '\0\0',
  'a\0',
  'a\0b',
  '\0a',
  '\0r',
  '\0l',
  '\0ra',
  '\0la',
  '\0l\0l',
  '🦀',
  '👨‍👩‍👧',
  '\u{10ffff}',
  ' ',
  'a ',
  ' a',
  '__proto__',
  'constructor',
  '0',
  '00',
  '-0',
  '/',
  '//',
  '.',
  'x'.repeat(LONGEST),
  'x'.repeat(LONGEST - 1),
  'é'.repeat(LONGEST / 2),
  `${'🦀'.repeat(1023)}ab`,
  `\0${'x'.repeat(LONGEST - 1)}`,
];

everyWay('different strings are different keys', (t, way) => {
  const shard = way.open();
  for (const [i, key] of DIFFERENT.entries()) shard.put(key, bytes(`${i}`));
  t.is(shard.size, DIFFERENT.length);
  for (const handle of [shard, way.open()]) {
    for (const [i, key] of DIFFERENT.entries()) {
      t.is(text(handle.get(key)), `${i}`, JSON.stringify(key).slice(0, 40));
      t.true(handle.has(key));
      t.is(handle.info(key)?.key, key);
    }
    t.deepEqual([...handle.keys()], DIFFERENT);
    t.deepEqual(handle.getMany(DIFFERENT).map(text), [...DIFFERENT.keys()].map(String));
  }
  shard.mergeIn(DIFFERENT.map((key) => [key, bytes(key)]));
  t.is(shard.size, DIFFERENT.length);
  for (const key of DIFFERENT) {
    t.is(text(shard.get(key)), Buffer.from(key).toString());
    t.true(shard.delete(key));
  }
  t.is(shard.size, 0);
});

everyWay('equal strings are the same key, whatever kind of string V8 uses', (t, way) => {
  const shard = way.open();
  const long = `prefix/${'path/'.repeat(20)}`;
  const made: [string, string][] = [
    [`${long}file.js`, long + ['file', 'js'].join('.')], // a rope
    [`${long}é.js`, `${long}\u00e9${'.js'}`],
    [`${long}Ł`, `${long}Ł🦀`.slice(0, -2)], // a slice of a two-byte string
    ['file.js', `${long}file.js`.slice(long.length)],
    ['abc', Buffer.from('abc').toString('latin1')],
    ['abc', '🦀abc'.slice(2)], // one-byte characters in a two-byte string
    ['123', String(123)],
    [`${long}x`, JSON.parse(JSON.stringify(`${long}x`))],
  ];
  for (const [plain, other] of made) {
    shard.put(plain, bytes(plain));
    t.is(text(shard.get(other)), plain);
    shard.put(other, bytes(`${plain} again`));
    t.is(text(shard.get(plain)), `${plain} again`);
  }
  t.is(shard.size, new Set(made.map(([plain]) => plain)).size);
});

type Use = (shard: Shard, key: string) => unknown;
const SYNC: Record<string, Use> = {
  get: (s, key) => s.get(key),
  'get with a validator': (s, key) => s.get(key, bytes('v')),
  getParts: (s, key) => s.getParts(key),
  'getParts with a validator': (s, key) => s.getParts(key, bytes('v')),
  getMany: (s, key) => s.getMany(['fine', key, 'fine']),
  has: (s, key) => s.has(key),
  'has with a validator': (s, key) => s.has(key, bytes('v')),
  info: (s, key) => s.info(key),
  put: (s, key) => s.put(key, bytes('x')),
  'put with meta': (s, key) => s.put(key, bytes('x'), { expiresAt: 1e15 }),
  delete: (s, key) => s.delete(key),
  mergeIn: (s, key) => s.mergeIn([['fine', bytes('x')], { key, value: bytes('x') }]),
  replaceAll: (s, key) => s.replaceAll([[key, bytes('x')]]),
};
const ASYNC: Record<string, (shard: Shard, key: string) => Promise<unknown>> = {
  mergeInAsync: (s, key) => s.mergeInAsync([[key, bytes('x')]]),
  replaceAllAsync: (s, key) => s.replaceAllAsync([[key, bytes('x')]]),
};

const BAD: Record<string, unknown> = {
  empty: '',
  'a byte too long': 'x'.repeat(LONGEST + 1),
  'two-byte characters, a byte too long': `${'é'.repeat(LONGEST / 2)}x`,
  'as many characters as bytes are allowed': 'é'.repeat(LONGEST),
  'four-byte characters': '🦀'.repeat(1024),
  'far too long': 'x'.repeat(1 << 20),
  'far too long, two bytes': 'Ł'.repeat(1 << 20),
  'a lone high surrogate': '\ud800',
  'a lone low surrogate': 'a\udc00b',
  'surrogates the wrong way round': '\udc00\ud800',
  'a surrogate at the end': `🦀${'\ud83e'}`,
  'a surrogate beside a real U+FFFD': '\ufffd\ud800',
  'a surrogate far from the start': `${'x'.repeat(4000)}\ud800`,
  undefined: undefined,
  null: null,
  number: 5,
  bigint: 5n,
  boolean: true,
  symbol: Symbol('s'),
  array: ['key'],
  bytes: bytes('key'),
  'a String object': Object('key'),
  'an object with toString': { toString: () => 'key' },
  function: () => 'key',
};

test('an invalid key is ERR_INVALID_KEY in every method, and changes nothing', async (t) => {
  for (const options of [{}, { copy: true }, { access: 'read' as const }, { root: '/r' }]) {
    using shard = Shard.open(shardPath(t), options);
    shard.put('fine', bytes('value'));
    for (const [what, key] of Object.entries(BAD)) {
      for (const [name, use] of Object.entries(SYNC))
        throwsCode(t, 'ERR_INVALID_KEY', () => use(shard, key as string), `${name}: ${what}`);
      for (const [name, use] of Object.entries(ASYNC))
        await rejectsCode(t, 'ERR_INVALID_KEY', () => use(shard, key as string), `${name}: ${what}`);
    }
    t.is(shard.size, 1);
    t.is(shard.generation, 1);
    t.is(text(shard.get('fine')), 'value');
  }
});

test('a root does not change how long a key may be', (t) => {
  using shard = Shard.open(shardPath(t), { root: '/r' });
  const key = `/r/${'x'.repeat(LONGEST - 3)}`;
  shard.put(key, bytes('value'));
  t.is(text(shard.get(key)), 'value');
  throwsCode(t, 'ERR_INVALID_KEY', () => shard.put(`${key}x`, bytes('value')));
});
