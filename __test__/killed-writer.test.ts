// The system ran out of memory and killed a build. From then on every tool waited for its lock, or read rubbish.

import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Shard } from 'warmshard';
import { random, same } from './helpers/bytes.js';
import { type Inside, startChild } from './helpers/child.js';
import { FOR_EVER } from './helpers/patience.js';
import { everyWay } from './helpers/ways.js';

everyWay('a writer that is killed at any moment leaves an undamaged shard', async (t, way) => {
  const write = async ({ warmshard: { Shard }, send }: Inside, path: string) => {
    const shard = Shard.open(path);
    send('begun');
    for (let round = 0; ; round++) {
      const value = (i: number) => new Uint8Array(50 + i * 13).fill(i);
      const kind = round % 4;
      // Sent after the put.
      if (kind === 0) {
        shard.put(`put ${round % 40}`, value(round % 40));
        if (round % 100 === 0) send(`put ${round % 40}`);
      } else if (kind === 1)
        shard.mergeIn(Array.from({ length: 30 }, (_, i) => [`batch ${i}`, value((round + i) % 200)]));
      else if (kind === 2 && round % 20 === 2) shard.compact();
      else if (kind === 3) shard.delete(`put ${(round * 7) % 40}`);
      if (round % 500 === 499) shard.flush();
    }
  };
  const next = random(42);
  for (let kill = 0; kill < 6; kill++) {
    const child = startChild(t, write, way.path);
    await child.receive();
    await new Promise((done) => setTimeout(done, 5 + next(60)));
    t.is((await child.kill()).signal, 'SIGKILL');
    const shard = Shard.open(way.path, { ...way.options, lockTimeout: FOR_EVER });
    const report = shard.verify();
    t.true(report.ok, JSON.stringify(report));
    for (const [key, value] of shard.entries()) {
      const fill = value[0] ?? 0;
      same(t, value, new Uint8Array(50 + fill * 13).fill(fill), key);
    }
    const batch = shard.getMany(Array.from({ length: 30 }, (_, i) => `batch ${i}`));
    const present = batch.filter((value) => value !== undefined).length;
    t.true(present === 0 || present === 30, `${present} of a batch of 30`);
    // The values of one batch are consecutive.
    const first = batch[0]?.[0] ?? 0;
    for (const [i, value] of batch.entries()) if (value) t.is(value[0], (first + i) % 200);
    shard.put('we', new Uint8Array(50));
    t.is(shard.get('we')?.length, 50);
    shard.delete('we');
    shard.close();
  }
  const left = readdirSync(dirname(way.path));
  t.deepEqual(
    left.sort(),
    ['cache.shard', 'cache.shard.lock'],
    'temporary files of killed processes are swept',
  );
});
