// An error said "open failed on /mnt/x", and whoever read it at three in the morning did not know what to do.

import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ArtifactStore, Shard } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

test('the error for what the system refuses names the file and says what to do', (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'file'), 'x');
  const cases: [string, RegExp][] = [
    [join(dir, 'file', 'a.shard'), /\/file\/a\.shard.*a part of the path is a file.*choose another path/],
    [join(dir, 'x'.repeat(300)), /choose a shorter path/],
  ];
  if (process.platform === 'linux')
    cases.push(['/proc/warmshard/a.shard', /\/proc\/warmshard: .*choose a path in a folder that exists/]);
  for (const [path, wanted] of cases)
    t.regex(throwsCode(t, 'ERR_IO', () => Shard.open(path))?.message ?? '', wanted);
});

test('the error for a file that is not trusted says what is wrong with it and what to do', (t) => {
  const dir = folder(t);
  const at = (name: string) => join(dir, name);
  mkdirSync(at('folder'));
  writeFileSync(at('open'), '');
  spawnSync('chmod', ['666', at('open')]);
  symlinkSync(at('open'), at('link'));
  const cases: Record<string, RegExp> = {
    folder: /is not a regular file; choose another path/,
    link: /is a symbolic link; give the path that it leads to/,
    open: /mode 666\); choose a path that only you can write to, correct the mode, or see the option trust/,
  };
  for (const [name, wanted] of Object.entries(cases))
    t.regex(throwsCode(t, 'ERR_UNTRUSTED_FILE', () => Shard.open(at(name)))?.message ?? '', wanted);
});

test('the error for a wrong argument names it, and says what it must be and what it is', (t) => {
  using shard = Shard.open(shardPath(t));
  using parts = Shard.open(shardPath(t), { parts: ['code', 'map'] });
  const open = (options: object) => Shard.open(shardPath(t), options);
  const put = (value: unknown) => () => shard.put('key', value as Uint8Array);
  const gone = bytes('gone');
  structuredClone(gone.buffer, { transfer: [gone.buffer as ArrayBuffer] });
  const cases: [string, () => unknown, RegExp][] = [
    ['ERR_INVALID_ARG', () => Shard.open('a\0b'), /path must be .* not "a\\u0000b"/],
    ['ERR_INVALID_ARG', () => open({ readOnly: 1 }), /readOnly must be true or false, not 1/],
    ['ERR_INVALID_ARG', () => open({ host: null }), /host must be an object, not null/],
    ['ERR_INVALID_ARG', () => open({ maxBytes: 1e30 }), /maxBytes must be .* from 0 to .*, not 1e\+30/],
    ['ERR_INVALID_ARG', () => open({ codec: 'x'.repeat(9000) }), /codec must be .*, not "x{80}\.\.\."$/],
    ['ERR_INVALID_KEY', () => shard.get(5 as never), /the key must be a string, not a number/],
    ['ERR_INVALID_KEY', () => shard.get(undefined as never), /the key must be a string, not undefined/],
    ['ERR_INVALID_ARG', put('text'), /a value must be a Uint8Array, not a string; .*codec/],
    ['ERR_INVALID_ARG', put(gone), /a value's memory was transferred; give .* still there/],
    ['ERR_INVALID_ARG', put([gone]), /a value must be a Uint8Array, not an array; .*codec/],
    ['ERR_INVALID_ARG', () => parts.put('key', { code: gone } as never), /the parts code, map, not code$/],
    ['ERR_INVALID_ARG', () => parts.put('key', 5 as never), /must be an object, not 5/],
    ['ERR_INVALID_ARG', () => shard.mergeIn(5 as never), /a batch must be an iterable of .*, not 5/],
  ];
  for (const [code, act, wanted] of cases) t.regex(throwsCode(t, code as never, act)?.message ?? '', wanted);
});

test('the error for a wrong entry of a batch contains its number', (t) => {
  using shard = Shard.open(shardPath(t), { maxEntryBytes: 10 });
  const value = bytes('value');
  for (const before of [0, 1, 200]) {
    const batch = (...last: unknown[]) => [
      ...Array.from({ length: before }, (_, i) => [`${i}`, value]),
      last,
    ];
    const cases: [string, unknown[], RegExp][] = [
      ['ERR_INVALID_KEY', [5, value], /^entry (\d+) of the batch: the key must be a string, not a number/],
      ['ERR_INVALID_KEY', ['', value], /^entry (\d+) of the batch: the key is empty/],
      [
        'ERR_INVALID_ARG',
        ['key', 5],
        /^entry (\d+) of the batch: a value must be a Uint8Array, not a number/,
      ],
      ['ERR_INVALID_ARG', ['key', [5]], /^entry (\d+) of the batch: a value must be a Uint8Array/],
      ['ERR_TOO_LARGE', ['key', bytes('more than ten')], /^entry (\d+) of the batch: the entry is 13 bytes/],
    ];
    for (const [code, entry, wanted] of cases)
      for (const write of ['mergeIn', 'replaceAll'] as const) {
        const error = throwsCode(t, code as never, () => shard[write](batch(...entry) as never));
        t.is(wanted.exec(error?.message ?? '')?.[1], `${before}`, error?.message);
      }
  }
});

test('the error for a value of a batch that a codec refuses contains its number, and the cause', async (t) => {
  using shard = Shard.open<unknown>(shardPath(t), { codec: 'json' });
  const batch = [
    ['a', 1],
    ['b', 2n],
  ] as [string, unknown][];
  const told = /^entry 1 of the batch: the codec could not encode the value: .*BigInt/;
  for (const write of ['mergeIn', 'replaceAll'] as const) {
    const error = throwsCode(t, 'ERR_CODEC', () => shard[write](batch));
    t.regex(error?.message ?? '', told);
    t.true(error?.cause instanceof TypeError);
    await t.throwsAsync(shard[`${write}Async`](batch), { code: 'ERR_CODEC', message: told });
  }
  const options = [{ key: 'a', value: 1, expiresAt: 'soon' as never }];
  const wrong = throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn(options));
  t.regex(wrong?.message ?? '', /^entry 0 of the batch: expiresAt must be/);
  t.is(shard.size, 0);
});

test('the error of getMany contains the number of the invalid key, or of the value that cannot be decoded', (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  using decoded = Shard.open(path, { codec: 'json' });
  shard.put('good', bytes('1'));
  shard.put('bad', bytes('no JSON'));
  // Enough look-ups that the fast door is used.
  for (let i = 0; i < 1000; i++) shard.getMany(['good', 'bad']);
  for (const many of [shard, decoded])
    for (const key of ['', 5 as never, '\ud800'])
      t.regex(
        throwsCode(t, 'ERR_INVALID_KEY', () => many.getMany(['good', 'good', key]))?.message ?? '',
        /^key 2: the key /,
      );
  const error = throwsCode(t, 'ERR_CODEC', () => decoded.getMany(['good', 'bad']));
  t.regex(error?.message ?? '', /^key 1: the codec could not decode/);
  t.true(error?.cause instanceof SyntaxError);
  shard.close();
  const closed = throwsCode(t, 'ERR_CLOSED', () => shard.getMany(['good']));
  t.is(closed?.path, path);
});

test('the error for one of many keys or rows contains its number', (t) => {
  using shard = Shard.open(shardPath(t));
  using store = ArtifactStore.open(join(folder(t), 'store'));
  const row = { outputNames: [], outputSizes: [] };
  for (const [key, what] of [
    ['', 'the key is empty'],
    ['\ud800', 'the key holds a lone surrogate'],
    [5 as never, 'the key must be a string'],
  ] as const) {
    const acts = {
      'key 1': [() => shard.getMany(['a', key])],
      'row 1': [
        () =>
          store.insertMany([
            ['a', row],
            [key, row],
          ]),
      ],
    };
    for (const [which, all] of Object.entries(acts))
      for (const act of all)
        t.true(throwsCode(t, 'ERR_INVALID_KEY', act)?.message.startsWith(`${which}: ${what}`));
  }
  const bad = throwsCode(t, 'ERR_INVALID_ARG', () => store.insertMany([['a', {} as never]]));
  t.regex(bad?.message ?? '', /^row 0: outputNames/);
});

test('a row of the wrong type is ERR_INVALID_ARG, and the error for too many outputs counts them', (t) => {
  using store = ArtifactStore.open(join(folder(t), 'store'));
  const wrong = throwsCode(t, 'ERR_INVALID_ARG', () => store.insertMany([5] as never));
  t.is(wrong?.message, 'row 0 must be [key, metadata], not 5');
  const many = { outputNames: Array(20_000).fill('o'), outputSizes: Array(20_000).fill(1) };
  const error = throwsCode(t, 'ERR_TOO_LARGE', () => store.insert('key', many));
  t.regex(error?.message ?? '', /^there are 20000 outputs, more than the 16384 allowed; pack some/);
});
