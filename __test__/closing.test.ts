// A server closed its cache twice at shutdown, while a request was still using it, and the process crashed.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';
import { everyWay } from './helpers/ways.js';

const SYNC: Record<string, (shard: Shard) => unknown> = {
  generation: (s) => s.generation,
  size: (s) => s.size,
  get: (s) => s.get('key'),
  'get with a validator': (s) => s.get('key', bytes('v')),
  getParts: (s) => s.getParts('key'),
  'getParts with a validator': (s) => s.getParts('key', bytes('v')),
  getMany: (s) => s.getMany(['key']),
  'getMany of nothing': (s) => s.getMany([]),
  has: (s) => s.has('key'),
  'has with a validator': (s) => s.has('key', bytes('v')),
  info: (s) => s.info('key'),
  put: (s) => s.put('key', bytes('x')),
  'put with meta': (s) => s.put('key', bytes('x'), { expiresAt: 1 }),
  delete: (s) => s.delete('key'),
  mergeIn: (s) => s.mergeIn([['key', bytes('x')]]),
  'mergeIn of nothing': (s) => s.mergeIn([]),
  replaceAll: (s) => s.replaceAll([]),
  clear: (s) => s.clear(),
  keys: (s) => s.keys(),
  entries: (s) => s.entries(),
  iterator: (s) => s[Symbol.iterator](),
  list: (s) => s.list(),
  evictStale: (s) => s.evictStale(),
  compact: (s) => s.compact(),
  verify: (s) => s.verify(),
  flush: (s) => s.flush(),
  durability: (s) => s.durability(),
  stats: (s) => s.stats(),
};
const ASYNC: Record<string, (shard: Shard) => Promise<unknown>> = {
  mergeInAsync: (s) => s.mergeInAsync([['key', bytes('x')]]),
  'mergeInAsync of nothing': (s) => s.mergeInAsync([]),
  replaceAllAsync: (s) => s.replaceAllAsync([['key', bytes('x')]]),
  compactAsync: (s) => s.compactAsync(),
  verifyAsync: (s) => s.verifyAsync(),
  flushAsync: (s) => s.flushAsync(),
  evictStaleAsync: (s) => s.evictStaleAsync(),
};

test('every method of a closed shard throws ERR_CLOSED', async (t) => {
  for (const options of [{}, { readOnly: true }, { copy: true }, { access: 'read' as const }]) {
    const path = shardPath(t);
    Shard.open(path).put('key', bytes('value'));
    const shard = Shard.open(path, options);
    shard.close();
    for (const [name, use] of Object.entries(SYNC)) throwsCode(t, 'ERR_CLOSED', () => use(shard), name);
    for (const [name, use] of Object.entries(ASYNC))
      await rejectsCode(t, 'ERR_CLOSED', () => use(shard), name);
    t.is(throwsCode(t, 'ERR_CLOSED', () => shard.get('key'))?.path, path);
    t.is(shard.path, path);
    t.is(shard.readOnly, options.readOnly ?? false);
  }
});

test('the list above is complete', (t) => {
  const named = new Set([...Object.keys(SYNC), ...Object.keys(ASYNC)].map((name) => name.split(' ')[0]));
  const members = Object.getOwnPropertyNames(Shard.prototype).filter(
    (name) => !['constructor', 'close'].includes(name),
  );
  t.deepEqual(
    members.filter((name) => !named.has(name)),
    [],
  );
});

everyWay('closing again has no effect, whether by close or by `using`', (t, way) => {
  const shard = way.open();
  shard.put('key', bytes('value'));
  shard.close();
  shard.close();
  shard[Symbol.dispose]();
  {
    using scoped = way.open();
    t.is(text(scoped.get('key')), 'value');
  }
  const kept: Shard[] = [];
  t.throws(
    () => {
      using scoped = way.open();
      kept.push(scoped);
      throw new Error('on the way out');
    },
    { message: 'on the way out' },
  );
  throwsCode(t, 'ERR_CLOSED', () => kept[0]?.get('key'));
});

everyWay('closing one handle leaves the others alone', async (t, way) => {
  const [one, two] = [way.open(), way.open()];
  one.put('key', bytes('value'));
  const work = one.mergeInAsync(Array.from({ length: 500 }, (_, i) => [`${i}`, bytes(`${i}`)]));
  one.close();
  t.is(await work, 500, 'work that has begun is finished');
  t.is(text(two.get('key')), 'value');
  t.is(two.size, 501);
});
