// To find out which functions were missing, a shell read all that it had; that took longer than compiling.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { bytes, pattern, random, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { HOST, openFunctions } from './helpers/scripts.js';
import { throwsCode } from './helpers/throws.js';

test('missing returns the names that are not there, once each, in the order of their first appearance', (t) => {
  const cache = openFunctions(t, shardPath(t));
  t.deepEqual(cache.missing([]), []);
  t.deepEqual(cache.missing(['b', 'a', 'b']), ['b', 'a']);
  cache.mergeIn([
    ['a', bytes('a')],
    ['empty', bytes('')],
  ]);
  t.deepEqual(cache.missing(['z', 'a', 'y', 'z', 'empty', 'a', 'x']), ['z', 'y', 'x']);
  t.deepEqual(cache.missing(new Set(['a', 'q'])), ['q']);
  t.deepEqual(cache.missing(new Map([['q', 1]]).keys()), ['q']);
  t.deepEqual(cache.missing(['a', 'empty']), []);
  t.deepEqual(cache.missing(cache.cachedNames()), []);
  for (const wrong of [undefined, null, 1, {}, 'abc'])
    throwsCode(t, 'ERR_INVALID_ARG', () => cache.missing(wrong as never));
  for (const name of [1, undefined, '', '\ud800'])
    throwsCode(t, 'ERR_INVALID_KEY', () => cache.missing(['a', name as never]));
  t.like(cache.stats(), { hits: 0, misses: 0 }, 'missing counts no look-ups');
});

test('missing and cachedNames agree with a plain map, through every kind of change', (t) => {
  const path = shardPath(t);
  const cache = openFunctions(t, path);
  const other = openFunctions(t, path);
  const stranger = openFunctions(t, path, { host: { ...HOST, version: '2' } });
  const model = new Map<string, number>();
  const next = random(7);
  const names = Array.from({ length: 300 }, (_, i) => `f${i}`);
  for (let round = 0; round < 60; round++) {
    const batch = Array.from({ length: next(80) }, () => [names[next(300)] as string, next(1000)] as const);
    const entries = batch.map(([name, seed]): [string, Uint8Array] => [name, pattern(seed % 50, seed)]);
    if (next(10) === 0) {
      cache.replaceAll(entries);
      model.clear();
    } else if (next(12) === 0) {
      cache.clear();
      model.clear();
      cache.mergeIn(entries);
    } else cache.mergeIn(entries);
    for (const [name, seed] of batch) model.set(name, seed);
    stranger.putOne(names[next(300)] as string, bytes('not mine'));
    for (const one of [cache, other]) {
      t.deepEqual([...one.cachedNames()].sort(), [...model.keys()].sort());
      t.deepEqual(
        one.missing(names),
        names.filter((name) => !model.has(name)),
      );
      t.is(one.entryCount, model.size);
    }
  }
  for (const [name, seed] of model)
    t.deepEqual(Buffer.from(cache.get(name) ?? []), Buffer.from(pattern(seed % 50, seed)));
});

test('functions of other hosts are not found and not counted, but kept', (t) => {
  const path = shardPath(t);
  const [one, two] = [openFunctions(t, path), openFunctions(t, path, { host: { ...HOST, name: 'another' } })];
  one.mergeIn([
    ['a', bytes('12')],
    ['b', bytes('345')],
  ]);
  two.mergeIn([
    ['b', bytes('6')],
    ['c', bytes('')],
  ]);
  t.deepEqual([...one.cachedNames()], ['a', 'b']);
  t.deepEqual([...two.cachedNames()], ['b', 'c']);
  t.is(one.entryCount, 2);
  t.like(one.stats(), { entries: 4, bytes: 6, puts: 2 });
  t.deepEqual(two.missing(['a', 'b', 'c']), ['a']);
});

test('get notices a damaged blob, which can be put again', (t) => {
  const path = shardPath(t);
  openFunctions(t, path).mergeIn([
    ['f', pattern(300, 1)],
    ['g', pattern(300, 2)],
  ]);
  const whole = readFileSync(path);
  const at = whole.indexOf(pattern(300, 1)) + 100;
  whole[at] = (whole[at] as number) ^ 1;
  writeFileSync(path, whole);
  const cache = openFunctions(t, path);
  t.deepEqual(cache.missing(['f', 'g']), [], 'missing does not read blobs');
  t.is(cache.get('f'), undefined);
  t.is(cache.stats().corrupt, 1);
  cache.putOne('f', bytes('again'));
  t.is(text(cache.get('f')), 'again');
});

test('missing takes 131,072 names in one call', (t) => {
  const cache = openFunctions(t, shardPath(t));
  const names = Array.from({ length: 131_072 }, (_, i) => `function ${i}`);
  const writer = cache.writer();
  for (let i = 0; i < names.length; i += 2) writer.add(names[i] as string, bytes(`${i}`));
  writer.commit();
  const missing = cache.missing(names);
  t.is(missing.length, 65_536);
  t.true(missing.every((name, i) => name === names[2 * i + 1]));
  t.is(cache.cachedNames().size, 65_536);
  t.is(cache.entryCount, 65_536);
});

test('clear removes the file, and can be repeated', (t) => {
  const path = shardPath(t);
  const [cache, other] = [openFunctions(t, path), openFunctions(t, path)];
  cache.clear();
  cache.putOne('f', bytes('x'));
  t.is(other.entryCount, 1);
  cache.clear();
  t.false(existsSync(path));
  t.is(other.entryCount, 0);
  t.deepEqual(other.missing(['f']), ['f']);
  other.clear();
  other.putOne('f', bytes('y'));
  t.is(text(cache.get('f')), 'y');
});

test('every method of a closed cache throws ERR_CLOSED', (t) => {
  const cache = openFunctions(t, shardPath(t));
  const writer = cache.writer().add('f', bytes('x'));
  cache.close();
  cache[Symbol.dispose]();
  const uses: Record<string, () => unknown> = {
    get: () => cache.get('f'),
    putOne: () => cache.putOne('f', bytes('x')),
    mergeIn: () => cache.mergeIn([]),
    replaceAll: () => cache.replaceAll([]),
    commit: () => writer.commit(),
    cachedNames: () => cache.cachedNames(),
    missing: () => cache.missing(['f']),
    'missing of nothing': () => cache.missing([]),
    entryCount: () => cache.entryCount,
    stats: () => cache.stats(),
    clear: () => cache.clear(),
    flush: () => cache.flush(),
  };
  for (const [name, use] of Object.entries(uses)) throwsCode(t, 'ERR_CLOSED', use, name);
});
