// Loading one large artifact took longer than compiling it, because its bytes were copied each time.

import test from 'ava';
import { Shard } from 'warmshard';
import { shardPath } from './helpers/folder.js';

const MIB = 1 << 20;

/** A value in which every page contains its position. */
function large(size: number, salt: number): Uint8Array {
  const value = Buffer.alloc(size, salt);
  for (let at = 0; at < size; at += 4096) value.writeUInt32LE((at ^ salt) >>> 0, Math.min(at, size - 4));
  return value;
}

test('values larger than a window come back complete, and outlive the shard', (t) => {
  const shard = Shard.open(shardPath(t), { parts: ['small', 'large', 'larger'] }) as unknown as Shard<
    Record<string, Uint8Array>
  >;
  const values = [0, 1, 2].map((salt) => ({
    small: large(100, salt),
    large: large(9 * MIB + salt, salt),
    larger: large(17 * MIB + salt, salt),
  }));
  values.forEach((value, i) => {
    shard.put(`key ${i}`, value);
  });
  const got = values.map((_, i) => shard.get(`key ${i}`));
  shard.clear();
  shard.close();
  values.forEach((value, i) => {
    for (const part of ['small', 'large', 'larger'] as const)
      t.is(Buffer.compare(got[i]?.[part] as Uint8Array, value[part]), 0, `${part} of ${i}`);
  });
});

test('a large value is lent, not copied', (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('key', large(12 * MIB, 7));
  const view = shard.get('key') as Uint8Array;
  // A copy has a buffer of exactly its length; a window begins before the value.
  t.true(view.buffer.byteLength > view.length || process.env.WARMSHARD_COPY === '1');
  t.is(shard.getMany(['key', 'absent'])[0]?.length, 12 * MIB);
});
