// Two builds ran at the same time, and each deleted what the other had cached.

import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

interface Order {
  do: 'get' | 'put' | 'delete' | 'clear' | 'compact' | 'replace' | 'size';
  key?: string;
  value?: string;
}

/** A process that carries out orders. */
async function servant(inside: Inside, args: { path: string; options: object }) {
  const shard = inside.warmshard.Shard.open<string>(args.path, { ...args.options, codec: 'utf8' });
  for (;;) {
    const order = (await inside.receive()) as Order | null;
    if (order === null) break;
    const key = order.key ?? '';
    if (order.do === 'put') shard.put(key, order.value ?? '');
    if (order.do === 'delete') shard.delete(key);
    if (order.do === 'clear') shard.clear();
    if (order.do === 'compact') shard.compact();
    if (order.do === 'replace') shard.replaceAll([[key, order.value ?? '']]);
    inside.send(order.do === 'get' ? (shard.get(key) ?? null) : shard.size);
  }
  shard.close();
}

everyWay('changes of one process are seen by another at its next get', async (t, way) => {
  const shard = way.open<string>({ codec: 'utf8' });
  const child = startChild(t, servant, { path: way.path, options: way.options });
  const tell = async (order: Order) => {
    child.send(order);
    return child.receive();
  };
  for (let i = 0; i < 30; i++) {
    await tell({ do: 'put', key: 'theirs', value: `${i}` });
    t.is(shard.get('theirs'), `${i}`);
    shard.put('ours', `${i}`);
    t.is(await tell({ do: 'get', key: 'ours' }), `${i}`);
    if (i % 5 === 0) await tell({ do: 'compact' });
    if (i % 7 === 0) shard.compact();
  }
  await tell({ do: 'delete', key: 'ours' });
  t.is(shard.get('ours'), undefined);
  await tell({ do: 'replace', key: 'only', value: 'this' });
  t.is(shard.get('only'), 'this');
  t.is(shard.get('theirs'), undefined);
  t.is(shard.size, 1);
  shard.clear();
  t.is(await tell({ do: 'get', key: 'only' }), null);
  await tell({ do: 'put', key: 'after', value: 'x' });
  t.is(shard.get('after'), 'x');
  await tell({ do: 'clear' });
  t.is(shard.get('after'), undefined);
  child.send(null);
  t.is((await child.exit).code, 0);
});

test('simultaneous writers lose nothing, and readers never see a torn value', async (t) => {
  const path = shardPath(t);
  const COUNT = 400;
  const write = (
    { warmshard: { Shard } }: Inside,
    { path, me, count }: { path: string; me: number; count: number },
  ) => {
    const shard = Shard.open(path, { lockTimeout: 30_000 });
    const value = (i: number) => new Uint8Array(i * 20).fill(i + me);
    for (let i = 0; i < count; i++) {
      if (i % 10 === 0) shard.mergeIn([`${me} ${i}`, `batch ${me} ${i}`].map((key) => [key, value(i)]));
      else shard.put(`${me} ${i}`, value(i));
      if (i % 150 === 149) shard.compact();
      if (shard.get(`${me} ${i}`)?.length !== i * 20) throw new Error(`lost my own ${i}`);
      shard.put('contended', new Uint8Array(1000).fill(me));
    }
    shard.close();
  };
  using shard = Shard.open(path);
  let done = false;
  const writers = Promise.all([1, 2, 3, 4].map((me) => inChild(t, write, { path, me, count: COUNT }))).then(
    () => {
      done = true;
    },
  );
  let looks = 0;
  while (!done || looks <= 10) {
    const contended = shard.get('contended');
    if (
      contended !== undefined &&
      (contended.length !== 1000 || contended.some((byte) => byte !== contended[0]))
    )
      t.fail('a torn value');
    for (const [key, value] of shard.getMany(['1 3', '2 200', '3 399']).entries())
      if (value?.some((byte) => byte !== value[0])) t.fail(`a torn value of ${key}`);
    looks += 1;
    await new Promise(setImmediate);
  }
  await writers;
  t.is(shard.size, 4 * (COUNT + COUNT / 10) + 1);
  for (const me of [1, 2, 3, 4])
    for (let i = 0; i < COUNT; i++) same(t, shard.get(`${me} ${i}`), new Uint8Array(i * 20).fill(i + me));
  t.like(shard.verify(), { ok: true, corrupt: 0 });
});

everyWay('a batch is seen completely or not at all', async (t, way) => {
  const writer = startChild(
    t,
    async ({ warmshard: { Shard }, send, receive }: Inside, path: string) => {
      const shard = Shard.open(path);
      const keys = Array.from({ length: 50 }, (_, i) => `${i}`);
      send('ready');
      await receive();
      let over = false;
      void receive().then(() => {
        over = true;
      });
      for (let round = 0; !over; round++) {
        const value = new Uint8Array(100).fill(round);
        const batch = keys.map((key): [string, Uint8Array] => [key, value]);
        if (round % 10 === 9) shard.replaceAll(batch);
        else shard.mergeIn(batch);
        // Lets the message arrive that ends the loop.
        if (round % 4 === 3) await new Promise(setImmediate);
      }
    },
    way.path,
  );
  await writer.receive();
  const shard = way.open();
  const keys = Array.from({ length: 50 }, (_, i) => `${i}`);
  let [over, looks, seen] = [false, 0, 0];
  void writer.exit.then(() => {
    over = true;
  });
  writer.send('go');
  const [until, first] = [Date.now() + 700, shard.generation];
  // Until there were at least ten batches, and twenty looks within one generation.
  while (!over && (Date.now() < until || seen <= 20 || shard.generation <= first + 10)) {
    // If the generation is the same before and after, all values are of one generation.
    const before = shard.generation;
    const values = shard.getMany(keys);
    if (shard.generation === before) {
      const rounds = new Set(values.map((value) => value?.[0]));
      if (rounds.size !== 1) t.fail(`a part of a batch: ${[...rounds]}`);
      seen += 1;
    }
    looks += 1;
    if (looks % 10 === 0) await new Promise(setImmediate);
  }
  writer.send('over');
  t.is((await writer.exit).code, 0, `${seen} of ${looks}`);
});

test('a process that opens the shard while others write finds everything published', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  for (let i = 0; i < 15; i++) {
    shard.put(`${i}`, pattern(3000, i));
    const sum = await inChild(
      t,
      ({ warmshard: { Shard } }: Inside, path: string) => [...Shard.open(path).entries()].length,
      path,
    );
    t.is(sum, i + 1);
  }
});

test('a shard whose files are deleted is empty after a second, and the next put creates it again', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  using other = Shard.open(path);
  shard.put('key', bytes('old'));
  t.is(text(other.get('key')), 'old');
  await inChild(
    t,
    ({ fs }: Inside, path: string) => {
      fs.rmSync(path);
      fs.rmSync(`${path}.lock`);
    },
    path,
  );
  await new Promise((done) => setTimeout(done, 1300));
  t.is(other.get('key'), undefined);
  shard.put('new', bytes('new'));
  await new Promise((done) => setTimeout(done, 1300));
  t.is(text(other.get('new')), 'new');
  t.is(shard.get('key'), undefined);
  t.is(shard.size, 1);
});
