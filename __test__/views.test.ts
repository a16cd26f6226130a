// A program kept the bytecode that it had got; then the cache was compacted, and the program ran other bytes.

import { rmSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same } from './helpers/bytes.js';
import { type Inside, inChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

const SIZES = [0, 1, 100, 16_000, 17_000, 300_000];

everyWay('views outlive everything that happens to the shard', (t, way) => {
  const shard = way.open({ autoCompact: false });
  for (const [i, size] of SIZES.entries()) shard.put(`${i}`, pattern(size, i));
  const kept: { view: Uint8Array | undefined; expected: Uint8Array }[] = [];
  const keep = (handle: Shard) => {
    for (const [i, size] of SIZES.entries())
      kept.push({ view: handle.get(`${i}`), expected: pattern(size, i) });
  };
  const check = (after: string) => {
    for (const { view, expected } of kept) same(t, view, expected, `after ${after}`);
  };
  keep(shard);
  const events: Record<string, () => unknown> = {
    puts: () => {
      for (let i = 0; i < 500; i++) shard.put(`${i % SIZES.length}`, pattern(10_000, -i));
      for (const [i, size] of SIZES.entries()) shard.put(`${i}`, pattern(size, i));
    },
    compact: () => shard.compact(),
    'mergeIn and compact': () => {
      shard.mergeIn(SIZES.map((size, i) => [`${i}`, pattern(size, i)]));
      shard.compact();
    },
    replaceAll: () => shard.replaceAll(SIZES.map((size, i) => [`${i}`, pattern(size, i)])),
  };
  for (const [name, happen] of Object.entries(events)) {
    happen();
    check(name);
    keep(shard);
  }
  shard.clear();
  check('clear');
  shard.put('after', pattern(400_000, 9));
  shard.get('after');
  check('a new file');
  shard.close();
  check('close');
  rmSync(way.path);
  rmSync(`${way.path}.lock`);
  check('deletion of the file');
  t.is(kept.length, SIZES.length * 5);
});

everyWay('a write to a view never reaches the file or another process', async (t, way) => {
  const shard = way.open();
  const read = ({ warmshard: { Shard } }: Inside, path: string) => {
    const shard = Shard.open(path, { readOnly: true });
    return ['small', 'large'].map((key) => Buffer.from(shard.get(key) ?? []).toString('latin1', 0, 8));
  };
  shard.put('small', bytes('original small'));
  shard.put('large', Buffer.concat([bytes('original large'), pattern(100_000, 1)]));
  for (const key of ['small', 'large']) shard.get(key)?.fill(0x58);
  shard.flush();
  t.true(shard.verify().ok, 'the file is unchanged');
  t.deepEqual(await inChild(t, read, way.path), ['original', 'original']);
  t.is(shard.compact().kept, 2);
  t.is(shard.compact().corrupt, 0);
  t.deepEqual(await inChild(t, read, way.path), ['original', 'original']);
  const fresh = way.open();
  t.is(Buffer.from(fresh.get('large') ?? []).toString('latin1', 0, 8), 'original');
});

everyWay('a write to a copy is not seen by any later get', (t, way) => {
  const shard = way.open({ copy: true });
  for (const [i, size] of SIZES.entries()) {
    shard.put(`${i}`, pattern(size, i));
    const one = shard.get(`${i}`);
    const two = shard.get(`${i}`);
    one?.fill(1);
    same(t, two, pattern(size, i));
    same(t, shard.get(`${i}`), pattern(size, i));
    same(t, shard.getMany([`${i}`])[0], pattern(size, i));
  }
});

everyWay('values can be cloned by structuredClone', (t, way) => {
  const shard = way.open();
  for (const [i, size] of SIZES.entries()) {
    shard.put(`${i}`, pattern(size, i));
    same(t, structuredClone(shard.get(`${i}`)), pattern(size, i));
  }
});

everyWay('transferring the memory of a value does not affect other values', (t, way) => {
  const shard = way.open();
  for (const [i, size] of SIZES.entries()) shard.put(`${i}`, pattern(size, i));
  const all = () => SIZES.map((_, i) => shard.get(`${i}`) as Uint8Array);
  const neighbours = all().slice(0, 3);
  for (let round = 0; round < 3; round++) {
    for (const [i, value] of all().entries()) {
      const { port1, port2 } = new MessageChannel();
      const take = [
        () => structuredClone(value, { transfer: [value.buffer as ArrayBuffer] }),
        () => port1.postMessage(value, [value.buffer as ArrayBuffer]),
      ];
      for (const run of take) {
        try {
          run();
        } catch (error) {
          // If values share the memory, Node.js may refuse, as for the pool of Buffer.
          t.is((error as Error).name, 'DataCloneError');
        }
      }
      port1.close();
      port2.close();
      same(t, shard.get(`${i}`), pattern(SIZES[i] as number, i), `round ${round}`);
      same(t, shard.getMany([`${i}`])[0], pattern(SIZES[i] as number, i));
      same(t, shard.getParts(`${i}`)?.[''], pattern(SIZES[i] as number, i));
    }
  }
  for (const [i, value] of neighbours.entries())
    same(t, value, pattern(SIZES[i] as number, i), 'another value');
});

test('a value can be sent to another thread', async (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('key', pattern(50_000, 1));
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(shard.get('key'));
  const received = await new Promise<Uint8Array>((done) => port2.once('message', done));
  port1.close();
  same(t, received, pattern(50_000, 1));
});

test('values stay valid for as long as they are referenced, whatever is collected', async (t) => {
  const body = async ({ warmshard: { Shard }, fs, collect }: Inside, dir: string) => {
    const wrong: string[] = [];
    const fill = (size: number, n: number) => new Uint8Array(size).fill(n);
    for (const [name, options] of Object.entries({ lend: {}, copy: { copy: true } })) {
      const path = `${dir}/${name}.shard`;
      let shard = Shard.open(path, options);
      const kept: [Uint8Array, number][] = [];
      for (let round = 1; round < 40; round++) {
        for (const size of [10, 5000, 200_000]) {
          shard.put(`${size}`, fill(size, round));
          const view = shard.get(`${size}`);
          if (view === undefined) wrong.push('nothing');
          else if (round % 3 === 0) kept.push([view, round]);
        }
        if (round % 5 === 0) shard.compact();
        if (round % 7 === 0) shard.clear();
        if (round % 11 === 0) {
          shard.close();
          shard = Shard.open(path, options);
        }
        if (round === 30) for (const file of fs.readdirSync(dir)) fs.rmSync(`${dir}/${file}`);
        await collect();
        for (const [view, n] of kept)
          if (view.some((byte) => byte !== n)) wrong.push(`${name} ${round} ${n}`);
      }
      // Only views of it are left now.
      (shard as unknown) = undefined;
      await collect();
      for (const [view, n] of kept) if (view.some((byte) => byte !== n)) wrong.push(`${name} end ${n}`);
    }
    return wrong;
  };
  t.deepEqual(await inChild(t, body, folder(t), { nodeArgs: ['--expose-gc'] }), []);
});
