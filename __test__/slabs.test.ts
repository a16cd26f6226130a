// A program transferred the memory of a copied value; the cache went on writing copies into memory that was no longer its own.

import test from 'ava';
import { Shard } from 'warmshard';
import { pattern, same } from './helpers/bytes.js';
import { type Inside, inChild } from './helpers/child.js';
import { shardPath } from './helpers/folder.js';

test('no copy overwrites another, whichever method makes them', (t) => {
  using shard = Shard.open(shardPath(t), { copy: true, parts: ['a', 'b', 'c'] });
  using plain = Shard.open(shardPath(t, 'plain'), { copy: true });
  // Sizes around the limit for sharing a slab, and sums that do not fit into one slab.
  const sizes = [0, 1, 15, 16, 17, 1000, 16_383, 16_384, 16_385, 40_000];
  const expected = (i: number, part: number) =>
    pattern(sizes[(i * 7 + part * 3) % sizes.length] as number, i * 3 + part);
  for (let i = 0; i < 30; i++) {
    shard.put(`${i}`, { a: expected(i, 0), b: expected(i, 1), c: expected(i, 2) } as unknown as Uint8Array);
    plain.put(`${i}`, expected(i, 0));
  }
  const kept: [Uint8Array | undefined, Uint8Array][] = [];
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 30; i++) {
      const parts = shard.getParts(`${i}`);
      for (const [part, name] of ['a', 'b', 'c'].entries()) kept.push([parts?.[name], expected(i, part)]);
      kept.push([plain.get(`${i}`), expected(i, 0)]);
    }
    const keys = Array.from({ length: 30 }, (_, i) => `${(i * round) % 30}`);
    for (const [at, value] of plain.getMany(keys).entries())
      kept.push([value, expected(Number(keys[at]), 0)]);
  }
  for (const [value, wanted] of kept) same(t, value, wanted);
  for (const [value] of kept) t.is((value?.byteOffset ?? -1) % 16, 0);
});

test('transferred memory is never written to again', async (t) => {
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    const detach = new Function('buffer', '%ArrayBufferDetach(buffer)') as (buffer: ArrayBufferLike) => void;
    let refused = false;
    const take = (buffer: ArrayBufferLike) => {
      const movable = buffer as ArrayBuffer & { transfer?(): ArrayBuffer };
      try {
        if (movable.transfer !== undefined) return new Uint8Array(movable.transfer());
        detach(buffer);
      } catch {
        // From Node.js 24 on, this memory cannot be transferred.
        refused = true;
      }
      return new Uint8Array(0);
    };
    const shard = Shard.open(path, { copy: true });
    const wrong: string[] = [];
    for (let i = 0; i < 10; i++) shard.put(`${i}`, new Uint8Array(1000).fill(i));
    const is = (value: Uint8Array | undefined, i: number) =>
      value?.length === 1000 && value.every((byte) => byte === i);
    for (let round = 0; round < 50; round++) {
      const first = shard.get('1') as Uint8Array;
      const took = take(first.buffer);
      const before = took.slice();
      if (first.length !== 0 && !refused) wrong.push('it was not transferred');
      if (!is(shard.get('2'), 2)) wrong.push(`get ${round}`);
      take((shard.get('3') as Uint8Array).buffer);
      if (!is(shard.getParts('4')?.[''], 4)) wrong.push(`getParts ${round}`);
      take((shard.get('5') as Uint8Array).buffer);
      for (const [i, value] of shard.getMany(['6', '7', '8']).entries())
        if (!is(value, i + 6)) wrong.push(`getMany ${round}`);
      if (took.some((byte, i) => byte !== before[i])) wrong.push(`written to ${round}`);
    }
    return wrong;
  };
  t.deepEqual(await inChild(t, body, shardPath(t), { nodeArgs: ['--allow-natives-syntax'] }), []);
});

test('copies of new entries, which are in no window yet, are not overwritten either', (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('first', pattern(10, 0));
  shard.get('first');
  const kept: [Uint8Array | undefined, Uint8Array][] = [];
  for (let i = 0; i < 400; i++) {
    shard.put(`${i}`, pattern(2000 + i, i));
    kept.push([shard.get(`${i}`), pattern(2000 + i, i)]);
    kept.push([shard.getParts(`${i}`)?.[''], pattern(2000 + i, i)]);
  }
  for (const [value, wanted] of kept) same(t, value, wanted);
});
