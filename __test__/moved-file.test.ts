// The cache was moved while a build was writing; the build awaited its flush, but the next build found nothing.

import { renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';

const flushes = {
  flush: (shard: Shard) => shard.flush(),
  flushAsync: (shard: Shard) => shard.flushAsync(),
};

for (const [name, flush] of Object.entries(flushes))
  test(`entries that are put after the file was moved are at its path once ${name} is done`, async (t) => {
    const path = shardPath(t);
    using shard = Shard.open(path);
    shard.put('old', bytes('1'));
    // Longer than the interval between two looks at the path: the next put looks, the one after it does not.
    await sleep(300);
    shard.put('old', bytes('2'));
    renameSync(path, `${path}.moved`);
    shard.put('new', bytes('3'));
    await flush(shard);
    using next = Shard.open(path);
    t.is(text(next.get('new')), '3');
    t.is(text(shard.get('new')), '3');
    t.true(next.durability().durable);
  });
