// A batch came from a plugin. One of its getters cleared the cache in the middle of the write, and the file was damaged.

import test, { type ExecutionContext } from 'ava';
import { type Entry, Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

type Item = [string, Uint8Array] | Entry<Uint8Array>;

function filled(t: ExecutionContext): Shard {
  const shard = Shard.open(shardPath(t));
  t.teardown(() => shard.close());
  shard.mergeIn(Array.from({ length: 100 }, (_, i) => [`${i}`, pattern(i, i)]));
  return shard;
}

const boom = new Error('boom');
/** Transfers the memory of a view, as postMessage to a worker does. */
const take = (view: Uint8Array) => structuredClone(view, { transfer: [view.buffer as ArrayBuffer] });
const throwing = (): never => {
  throw boom;
};

/** Batches that throw while they are read. */
const THROWING: Record<string, () => Iterable<Item>> = {
  'the iterable midway': function* () {
    yield ['new', bytes('x')];
    throw boom;
  },
  'its iterator': () => ({ [Symbol.iterator]: throwing }),
  'its next': () => ({ [Symbol.iterator]: () => ({ next: throwing }) }),
  'a getter of the key': () => [
    {
      value: bytes('x'),
      get key() {
        return throwing();
      },
    },
  ],
  'a getter of the value': () => [
    ['new', bytes('x')],
    {
      key: 'other',
      get value() {
        return throwing();
      },
    },
  ],
  'a getter of the expiry': () => [
    {
      key: 'other',
      value: bytes('x'),
      get expiresAt() {
        return throwing();
      },
    },
  ],
  'a getter of the validator': () => [
    {
      key: 'other',
      value: bytes('x'),
      validator: {
        mtimeSec: 1,
        get mtimeNsec() {
          return throwing();
        },
      },
    },
  ],
  'a proxy': () => [['new', bytes('x')], new Proxy(['key', bytes('x')], { get: throwing }) as never],
  'an element of a pair': () => [
    Object.defineProperty(['key'], 1, { get: throwing, enumerable: true }) as never,
  ],
};

test('an error thrown by the batch reaches the caller unchanged, and nothing is stored', async (t) => {
  const shard = filled(t);
  const before = shard.generation;
  for (const [what, make] of Object.entries(THROWING)) {
    t.is(
      t.throws(() => shard.mergeIn(make())),
      boom,
      what,
    );
    t.is(
      t.throws(() => shard.replaceAll(make())),
      boom,
      what,
    );
    t.is(await t.throwsAsync(() => shard.mergeInAsync(make())), boom, what);
    t.is(await t.throwsAsync(() => shard.replaceAllAsync(make())), boom, what);
  }
  t.is(shard.generation, before);
  t.is(shard.size, 100);
  t.is(shard.get('new'), undefined);
  // The shard still works.
  shard.put('new', bytes('x'));
  t.true(shard.verify().ok);
});

test('an iterable that is left early is closed', (t) => {
  const shard = filled(t);
  let closed = false;
  const batch = (function* (): Iterable<Item> {
    try {
      yield null as never;
      t.fail('went on');
    } finally {
      closed = true;
    }
  })();
  throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn(batch));
  t.true(closed);
});

test('a batch may use the shard while it is read', (t) => {
  const shard = filled(t);
  const count = shard.mergeIn(
    (function* (): Iterable<Item> {
      shard.put('within', bytes('within'));
      yield ['a', bytes('a')];
      shard.clear();
      yield ['b', shard.get('a') ?? bytes('not yet')];
      shard.compact();
      yield {
        get key() {
          shard.mergeIn([['nested', bytes('nested')]]);
          return 'c';
        },
        get value() {
          shard.replaceAll([['only', bytes('only')]]);
          return bytes('c');
        },
      };
    })(),
  );
  t.is(count, 3);
  t.deepEqual([...shard.keys()], ['only', 'a', 'b', 'c']);
  t.is(text(shard.get('b')), 'not yet');
  t.true(shard.verify().ok);
});

test('a batch that closes its shard is ERR_CLOSED', async (t) => {
  const closing = (shard: Shard) =>
    (function* (): Iterable<Item> {
      yield ['a', bytes('a')];
      shard.close();
    })();
  const one = filled(t);
  throwsCode(t, 'ERR_CLOSED', () => one.mergeIn(closing(one)));
  const two = filled(t);
  await rejectsCode(t, 'ERR_CLOSED', () => two.mergeInAsync(closing(two)));
});

test('memory that is transferred while the batch is read is an error, not an empty value', (t) => {
  const shard = filled(t);
  const batch = (function* (): Iterable<Item> {
    const value = pattern(1000, 1);
    yield ['taken', value];
    take(value);
    yield ['next', bytes('x')];
  })();
  throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn(batch));
  t.is(shard.size, 100);
});

test('an array or object with accessors never reaches the addon', (t) => {
  const shard = filled(t);
  const value = pattern(1000, 1);
  const array = Object.defineProperty([value, value], 1, {
    get() {
      take(value);
      return bytes('x');
    },
  });
  throwsCode(t, 'ERR_INVALID_ARG', () => shard.put('key', array as never));
  throwsCode(t, 'ERR_INVALID_ARG', () => shard.mergeIn([['key', array as never]]));
  using parts = Shard.open<Record<string, Uint8Array>>(shardPath(t), { parts: ['a', 'b'] });
  const first = pattern(1000, 1);
  const taking = {
    a: first,
    get b() {
      take(first);
      return bytes('x');
    },
  };
  throwsCode(t, 'ERR_INVALID_ARG', () => parts.put('key', taking));
  t.is(parts.size, 0);
});

test('getters of a validator may use the shard without changing what is stored', (t) => {
  using shard = Shard.open(shardPath(t));
  const inner = { validator: new Uint8Array(64).fill(9), expiresAt: 1 };
  const using = <T>(value: T): T => {
    shard.put('inner', bytes('inner'), inner);
    shard.get('inner', { digest: new Uint8Array(30).fill(3) });
    return value;
  };
  const mtime = {
    get mtimeSec() {
      return using(5);
    },
    get mtimeNsec() {
      return using(6);
    },
  };
  const digest = {
    get digest() {
      return using(bytes('digest'));
    },
  };
  shard.put('mtime', bytes('1'), { validator: mtime });
  shard.put('digest', bytes('2'), { validator: digest });
  shard.put('later', bytes('3'), {
    get expiresAt() {
      return using(8.64e15);
    },
  });
  t.deepEqual(shard.info('mtime')?.validator, { mtimeSec: 5, mtimeNsec: 6 });
  t.deepEqual(shard.info('digest')?.validator, { digest: bytes('digest') });
  t.is(shard.info('later')?.validator, undefined);
  for (const key of ['mtime', 'digest']) t.is(shard.info(key)?.expiresAt, undefined, key);
  t.is(text(shard.get('mtime', mtime)), '1');
  t.is(text(shard.get('digest', digest)), '2');
  t.is(text(shard.get('later')), '3');
});

test('getMany reads lists of keys with getters, and proxies', (t) => {
  const shard = filled(t);
  const keys = ['1', '2', '3'];
  Object.defineProperty(keys, 1, {
    get() {
      shard.compact();
      keys.length = 2;
      return '2';
    },
  });
  same(t, shard.getMany(keys)[0], pattern(1, 1));
  t.deepEqual(
    shard.getMany(new Proxy(['1', '2'], {})).map((value) => value?.length),
    [1, 2],
  );
  t.is(
    t.throws(() => shard.getMany(new Proxy(['1'], { get: throwing }))),
    boom,
  );
});
