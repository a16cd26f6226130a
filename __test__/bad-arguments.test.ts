// A misspelt option value meant the default, and for a year nobody noticed that nothing was verified.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

const hostile = {
  toString() {
    throw new Error('toString was called');
  },
  valueOf() {
    throw new Error('valueOf was called');
  },
};
const ODD = [null, 0, 1, -1, 1.5, Number.NaN, 5n, '', 'text', true, Symbol('s'), [], {}, () => {}, hostile];
const except = (...fine: unknown[]) => ODD.filter((value) => !fine.includes(value));
const numbers = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', 5n, null, {}, hostile];

const OPTIONS: Record<string, unknown[]> = {
  host: [...ODD, { name: 'a' }, { version: '1' }],
  codec: [...ODD, 'BYTES', { encode() {} }, { decode() {} }, { encode: 1, decode: 1 }],
  parts: except(),
  readOnly: except(true),
  durability: [...ODD, 'FLUSH', 'always'],
  digest: [...ODD, 'sha256', { key: 'text' }, { key: new ArrayBuffer(32) }, { key: undefined }],
  verify: [...ODD, 'never'],
  copy: except(true),
  access: [...ODD, 'write'],
  maxBytes: [...numbers, 0, 65_535, 2 ** 50],
  maxEntryBytes: [...numbers, 0, 2 ** 30 + 1],
  lockTimeout: numbers,
  root: [...except('text', ''), '', 'relative', './here', '\ud800'],
  trust: [...ODD, 'all'],
  autoCompact: except(true),
};

test('every option of the wrong type or out of range is ERR_INVALID_ARG, and the error names it', (t) => {
  const path = shardPath(t);
  for (const [name, values] of Object.entries(OPTIONS)) {
    for (const [i, value] of values.entries()) {
      const error = throwsCode(
        t,
        'ERR_INVALID_ARG',
        () => Shard.open(path, { [name]: value }),
        `${name} ${i}`,
      );
      t.true(error?.message.includes(name === 'host' ? 'host' : name), `${name} ${i}: ${error?.message}`);
    }
  }
});

test('invalid hosts are refused', (t) => {
  const path = shardPath(t);
  for (const value of [...except('', 'text'), '\udc00', 'x'.repeat(64), 'é'.repeat(32)]) {
    const cases = [
      { name: value, version: '1' },
      { name: 'a', version: value },
    ];
    for (const host of cases)
      throwsCode(t, 'ERR_INVALID_ARG', () => Shard.open(path, { host: host as never }));
  }
  for (const binary of except('', 'text', undefined).filter((value) => typeof value !== 'boolean'))
    throwsCode(t, 'ERR_INVALID_ARG', () =>
      Shard.open(path, { host: { name: 'a', version: '1', binary: binary as never } }),
    );
  throwsCode(t, 'ERR_INVALID_ARG', () =>
    Shard.open(path, { host: { name: 'a', version: '1', binary: true as never } }),
  );
});

test('an undefined option means the same as one that is not given', (t) => {
  const options = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, undefined]));
  using shard = Shard.open(shardPath(t), options);
  shard.put('key', bytes('value'));
  t.is(shard.size, 1);
});

test('invalid paths and options are refused', (t) => {
  for (const path of [
    ...except('text'),
    undefined,
    'a\0b',
    '\ud800',
    Buffer.from('/tmp/x'),
    new URL('file:///tmp/x'),
    '/',
  ])
    throwsCode(t, 'ERR_INVALID_ARG', () => Shard.open(path as never), typeof path);
  const path = shardPath(t);
  for (const options of [null, 5, 'text', true, Symbol('s')])
    throwsCode(t, 'ERR_INVALID_ARG', () => Shard.open(path, options as never));
});

const transferred = new Uint8Array(8);
structuredClone(transferred, { transfer: [transferred.buffer] });

const VALIDATORS = [
  null,
  5,
  'text',
  true,
  Symbol('s'),
  () => {},
  {},
  [],
  new ArrayBuffer(8),
  new Uint8Array(65),
  { digest: new Uint8Array() },
  transferred,
  { digest: new Uint8Array(65) },
  { digest: 'text' },
  { digest: new ArrayBuffer(8) },
  { mtimeSec: 1 },
  { mtimeNsec: 1 },
  { mtimeSec: 1.5, mtimeNsec: 0 },
  { mtimeSec: 2 ** 53, mtimeNsec: 0 },
  { mtimeSec: '1', mtimeNsec: 0 },
  { mtimeSec: 1n, mtimeNsec: 0 },
  { mtimeSec: 1, mtimeNsec: -1 },
  { mtimeSec: 1, mtimeNsec: 1e9 },
  { mtimeSec: 1, mtimeNsec: Number.NaN },
  { mtimeSec: 1, mtimeNsec: 0, size: -1 },
  { mtimeSec: 1, mtimeNsec: 0, size: 1.5 },
  { mtimeSec: 1, mtimeNsec: 0, size: null },
  { mtimeSec: 1, mtimeNsec: 0, size: '1' },
] as never[];

test('invalid validators, times and metadata are refused', async (t) => {
  using shard = Shard.open(shardPath(t));
  const value = bytes('x');
  for (const [i, validator] of VALIDATORS.entries()) {
    const what = `validator ${i}`;
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.get('key', validator), what);
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.getParts('key', validator), what);
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.has('key', validator), what);
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', value, { validator }), what);
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn([{ key: 'key', value, validator }]), what);
    await rejectsCode(
      t,
      'ERR_INVALID_ARG',
      () => shard.replaceAllAsync([{ key: 'key', value, validator }]),
      what,
    );
  }
  for (const expiresAt of [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '5',
    5n,
    null,
    new Date(),
    hostile,
  ] as never[]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', value, { expiresAt }));
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn([{ key: 'key', value, expiresAt }]));
  }
  for (const meta of [null, 5, 'text', true] as never[])
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', value, meta));
  t.is(shard.size, 0);
});

test('invalid batches and lists of keys are refused', async (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('kept', bytes('kept'));
  for (const batch of [
    undefined,
    null,
    5,
    true,
    Symbol('s'),
    {},
    () => {},
    { length: 0 },
    'text',
  ] as never[]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn(batch));
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.replaceAll(batch));
    await rejectsCode(t, 'ERR_INVALID_ARG', () => shard.mergeInAsync(batch));
    await rejectsCode(t, 'ERR_INVALID_ARG', () => shard.replaceAllAsync(batch));
    throwsCode(t, 'ERR_INVALID_ARG', () => shard.getMany(batch));
  }
  throwsCode(t, 'ERR_INVALID_KEY', () => shard.getMany(new Array(1) as never));
  t.is(shard.size, 1);
});

test('invalid options of asynchronous work are refused', async (t) => {
  using shard = Shard.open(shardPath(t));
  const work: ((options: never) => Promise<unknown>)[] = [
    (options) => shard.mergeInAsync([['key', bytes('x')]], options),
    (options) => shard.mergeInAsync([], options),
    (options) => shard.replaceAllAsync([], options),
    (options) => shard.compactAsync(options),
    (options) => shard.verifyAsync(options),
    (options) => shard.flushAsync(options),
    (options) => shard.evictStaleAsync(options),
  ];
  for (const run of work) {
    for (const options of [
      5,
      'text',
      true,
      null,
      { onProgress: 5 },
      { onProgress: null },
      { signal: {} },
      { signal: new AbortController() },
      { signal: null },
    ])
      await rejectsCode(t, 'ERR_INVALID_ARG', () => run(options as never), String(run));
  }
  t.is(shard.size, 0);
});

test('an error has its name and its code, and no property that is not known', (t) => {
  const error = throwsCode(t, 'ERR_INVALID_ARG', () => Shard.open(''));
  t.is(error?.name, 'WarmshardError');
  t.true(error instanceof Error);
  t.deepEqual(Object.keys(error ?? {}), ['code']);
  t.true(error?.stack?.includes('bad-arguments'));
});

test('calling the constructor throws an error that says how to open a shard', (t) => {
  const Made = Shard as unknown as new (...args: unknown[]) => Shard;
  for (const args of [[], [null], [shardPath(t)], [{}], [hostile]])
    t.regex(throwsCode(t, 'ERR_INVALID_ARG', () => new Made(...args))?.message ?? '', /Shard\.open\(path/);
});
