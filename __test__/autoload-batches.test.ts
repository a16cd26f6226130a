// Each function that was stored rewrote the whole file: storing sixteen thousand of them took an hour.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { holdLock, locked } from './helpers/lock.js';
import { HOST, openFunctions } from './helpers/scripts.js';
import { betweenMarks, canTrace, straced } from './helpers/strace.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

test('16,384 functions in one commit are one publish, and the next process has them all', async (t) => {
  const path = shardPath(t);
  const [cache, other] = [openFunctions(t, path), openFunctions(t, path)];
  cache.putOne('kept', bytes('kept'));
  const { generation } = cache.stats();
  const writer = cache.writer();
  for (let i = 0; i < 16_384; i++) t.is(writer.add(`function ${i}`, pattern(i % 700, i)), writer);
  t.is(writer.size, 16_384);
  t.is(other.entryCount, 1, 'nothing is published before the commit');
  t.is(writer.commit(), 16_384);
  t.is(writer.size, 0);
  t.is(cache.stats().generation, generation + 1);
  t.is(other.entryCount, 16_385);
  const wrong = await inChild(
    t,
    ({ warmshard: { AutoloadCache } }, path) => {
      const cache = AutoloadCache.open(path, { host: { name: 'tool', version: '1', binary: false } });
      const names = Array.from({ length: 16_384 }, (_, i) => `function ${i}`);
      const wrong = names.filter((name, i) => cache.get(name)?.length !== i % 700);
      return [wrong, cache.missing([...names, 'kept', 'lost'])];
    },
    path,
  );
  t.deepEqual(wrong, [[], ['lost']]);
  for (const i of [0, 1, 699, 16_383]) same(t, other.get(`function ${i}`), pattern(i % 700, i));
  t.is(text(other.get('kept')), 'kept', 'untouched entries are kept');
});

test('one commit writes its bytes once, in pieces of a megabyte', async (t) => {
  if (!canTrace(t)) return;
  const dir = folder(t);
  const trace = join(dir, 'trace');
  const child = startChild(
    t,
    ({ warmshard: { AutoloadCache }, fs }: Inside, path: string) => {
      const cache = AutoloadCache.open(path, { host: { name: 'tool', version: '1', binary: false } });
      const commit = (count: number, label: string) => {
        const writer = cache.writer();
        for (let i = 0; i < count; i++) writer.add(`${label} ${i}`, new Uint8Array(500).fill(i));
        writer.commit();
      };
      commit(16_384, 'first');
      fs.writeSync(2, 'MARK BEGIN\n');
      commit(16_384, 'second');
      fs.writeSync(2, 'MARK END\n');
    },
    join(dir, 'cache.shard'),
    { under: straced(trace, '-e', 'trace=write,pwrite64,fdatasync,fsync,rename') },
  );
  const exit = await child.exit;
  t.is(exit.code, 0, exit.stderr);
  const { lines: calls } = betweenMarks(t, trace);
  const written = calls
    .map((line) => /pwrite64\(.*\) += (\d+)$|pwrite64 resumed>.*= (\d+)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => Number(match[1] ?? match[2]));
  const sum = written.reduce((sum, bytes) => sum + bytes, 0);
  t.log(`${written.length} writes, ${sum} bytes`);
  t.true(written.length <= 16, `${written}`);
  // 16,384 frames of 500 bytes with head and name, and the index of all entries.
  t.true(sum > 16_384 * 500 && sum < 16_384 * 750, `${sum}`);
  t.deepEqual(
    calls.filter((line) => /sync|rename/.test(line)),
    [],
  );
});

test('mergeIn inserts and replaces, keeps the other entries, and writes nothing for an empty batch', (t) => {
  const path = shardPath(t);
  const cache = openFunctions(t, path);
  t.is(cache.mergeIn([]), 0);
  t.false(existsSync(path), 'not even the file is created');
  t.is(
    cache.mergeIn([
      ['a', bytes('a1')],
      ['b', bytes('b1')],
      ['b', bytes('b2')],
    ]),
    3,
  );
  t.is(
    cache.mergeIn(
      new Map([
        ['b', bytes('b3')],
        ['c', bytes('c1')],
      ]),
    ),
    2,
  );
  t.deepEqual(
    ['a', 'b', 'c'].map((name) => text(cache.get(name))),
    ['a1', 'b3', 'c1'],
  );
  const before = readFileSync(path);
  const { generation } = cache.stats();
  t.is(cache.mergeIn([]), 0);
  t.is(cache.mergeIn(new Set<[string, Uint8Array]>()), 0);
  t.is(cache.writer().commit(), 0);
  t.is(cache.stats().generation, generation);
  t.deepEqual(readFileSync(path), before);
});

test('replaceAll leaves exactly the given functions', async (t) => {
  const path = shardPath(t);
  const [cache, other] = [
    openFunctions(t, path),
    openFunctions(t, path, { host: { ...HOST, version: '2' } }),
  ];
  cache.mergeIn([
    ['a', bytes('a')],
    ['b', bytes('b')],
  ]);
  other.putOne('a', bytes('of 2'));
  t.is(
    cache.replaceAll([
      ['b', bytes('b2')],
      ['c', bytes('c')],
    ]),
    2,
  );
  t.deepEqual([...cache.cachedNames()].sort(), ['b', 'c']);
  t.is(text(cache.get('b')), 'b2');
  t.is(other.get('a'), undefined);
  t.is(await cache.replaceAllAsync([['d', bytes('d')]]), 1);
  t.is(await cache.mergeInAsync([['e', bytes('e')]]), 1);
  t.is(await cache.mergeInAsync([]), 0);
  t.deepEqual([...cache.cachedNames()].sort(), ['d', 'e']);
  t.is(cache.replaceAll([]), 0);
  t.is(cache.entryCount, 0);
});

locked('a commit that fails keeps the added functions, and can be repeated', async (t) => {
  const path = shardPath(t);
  const cache = openFunctions(t, path, { lockTimeout: 50 });
  cache.putOne('before', bytes('x'));
  const release = await holdLock(t, path);
  const writer = cache.writer().add('a', bytes('a')).add('b', bytes('b'));
  throwsCode(t, 'ERR_LOCK_TIMEOUT', () => writer.commit());
  throwsCode(t, 'ERR_LOCK_TIMEOUT', () => cache.putOne('c', bytes('c')));
  t.is(writer.size, 2);
  writer.add('c', bytes('c'));
  await release();
  t.is(writer.commit(), 3);
  t.deepEqual([...cache.cachedNames()], ['before', 'a', 'b', 'c']);
});

test('a writer copies blobs, keeps the last one of a name, and refuses what would make the commit fail', (t) => {
  const cache = openFunctions(t, shardPath(t), { maxEntryBytes: 100_000 });
  const writer = cache.writer();
  const blob = bytes('one');
  writer.add('f', blob);
  blob.fill(0);
  t.is(text(cache.get('f')), undefined);
  writer
    .add('g', bytes('g1'))
    .add('g', bytes('g2'))
    .add('large', pattern(100_000, 1))
    .add('empty', bytes(''));
  t.is(writer.size, 4);
  const transferred = bytes('gone');
  structuredClone(transferred.buffer, { transfer: [transferred.buffer as ArrayBuffer] });
  for (const wrong of [undefined, null, 'x', [1], {}, new ArrayBuffer(1), transferred])
    throwsCode(t, 'ERR_INVALID_ARG', () => writer.add('f', wrong as never));
  for (const name of [undefined, 1, '', '\ud800', 'x'.repeat(4095), '\u20ac'.repeat(1365)])
    throwsCode(t, 'ERR_INVALID_KEY', () => writer.add(name as never, blob));
  throwsCode(t, 'ERR_TOO_LARGE', () => writer.add('too large', new Uint8Array(100_001)));
  writer.add('x'.repeat(4094), bytes('x')).add('\u20ac'.repeat(1364), bytes('x'));
  t.is(writer.commit(), 6);
  t.is(text(cache.get('f')), 'one');
  t.is(text(cache.get('g')), 'g2');
  t.is(cache.get('empty')?.length, 0);
  same(t, cache.get('large'), pattern(100_000, 1));
});

test('failing writes throw, like those of a shard', async (t) => {
  const path = shardPath(t);
  const cache = openFunctions(t, path, { maxEntryBytes: 10 });
  throwsCode(t, 'ERR_INVALID_ARG', () => cache.putOne('f', 'x' as never));
  throwsCode(t, 'ERR_INVALID_ARG', () => cache.putOne('f', [bytes('x')] as never));
  throwsCode(t, 'ERR_INVALID_KEY', () => cache.putOne('', bytes('x')));
  throwsCode(t, 'ERR_INVALID_KEY', () => cache.get(1 as never));
  throwsCode(t, 'ERR_TOO_LARGE', () => cache.putOne('f', new Uint8Array(11)));
  throwsCode(t, 'ERR_INVALID_ARG', () => cache.mergeIn(1 as never));
  throwsCode(t, 'ERR_INVALID_ARG', () => cache.mergeIn([['f', 'x' as never]]));
  t.is(cache.entryCount, 0, 'nothing of the batch is stored');
  const reader = openFunctions(t, path, { readOnly: true });
  throwsCode(t, 'ERR_READ_ONLY', () => reader.putOne('f', bytes('x')));
  throwsCode(t, 'ERR_READ_ONLY', () => reader.mergeIn([]));
  throwsCode(t, 'ERR_READ_ONLY', () => reader.writer().commit());
  throwsCode(t, 'ERR_READ_ONLY', () => reader.clear());
  await rejectsCode(t, 'ERR_READ_ONLY', () => reader.mergeInAsync([['f', bytes('x')]]));
  const signal = AbortSignal.abort();
  await rejectsCode(t, 'ERR_ABORTED', () => cache.mergeInAsync([['f', bytes('x')]], { signal }));
});
