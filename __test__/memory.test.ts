// A server ran out of mappings on its third day, because each put had left one behind.

import test from 'ava';
import { type Inside, inChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';

const GC = { nodeArgs: ['--expose-gc'] };
const linux = process.platform === 'linux' ? test : test.skip;

linux('alternating puts and gets need a bounded number of mappings', async (t) => {
  const body = async ({ warmshard: { Shard }, fs, sleep }: Inside, dir: string) => {
    const maps = () => fs.readFileSync('/proc/self/maps', 'utf8').split('.shard').length;
    const shard = Shard.open(`${dir}/cache.shard`);
    const counts: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      shard.put(`${i % 500}`, new Uint8Array((i % 30) * 100).fill(i));
      const got = shard.get(`${i % 500}`);
      if (got?.length !== (i % 30) * 100) throw new Error(`wrong at ${i}`);
      if (i % 1000 === 0) {
        counts.push(maps());
        await sleep(0);
      }
    }
    return counts;
  };
  const counts = await inChild(t, body, folder(t));
  const first = counts[1] as number;
  t.true(Math.max(...counts) < first + 20, `mappings: ${counts}`);
});

linux('shards that are opened and closed leave no memory, mappings or descriptors behind', async (t) => {
  const body = async ({ warmshard: { Shard }, fs, collect, sleep }: Inside, dir: string) => {
    const use = (i: number) => {
      const shard = Shard.open(`${dir}/${i % 10}.shard`);
      shard.put('key', new Uint8Array(100_000).fill(i));
      if (shard.get('key')?.[0] !== i % 256) throw new Error(`wrong at ${i}`);
      shard.close();
    };
    const measure = async () => {
      await collect();
      return {
        rss: process.memoryUsage().rss,
        maps: fs.readFileSync('/proc/self/maps', 'utf8').split('.shard').length,
        files: fs.readdirSync('/proc/self/fd').length,
      };
    };
    for (let i = 0; i < 300; i++) use(i);
    const before = await measure();
    for (let i = 0; i < 2000; i++) {
      use(i);
      if (i % 100 === 0) await collect();
    }
    let after = await measure();
    // Finalizers run when the event loop has time for them.
    const grown = () =>
      after.maps > before.maps || after.files > before.files || after.rss - before.rss > 30 << 20;
    for (let i = 0; i < 1000 && grown(); i++) {
      await sleep(50);
      after = await measure();
    }
    return { before, after };
  };
  const { before, after } = await inChild(t, body, folder(t), GC);
  t.true(after.rss - before.rss < 40 << 20, `${(after.rss - before.rss) >> 20} MiB more`);
  t.true(after.maps - before.maps < 10, `${after.maps - before.maps} mappings more`);
  t.true(after.files - before.files < 10, `${after.files - before.files} descriptors more`);
});

linux('shards that are not closed are released by the garbage collector', async (t) => {
  const body = async ({ warmshard: { Shard }, fs, collect, sleep }: Inside, dir: string) => {
    const use = (i: number) => {
      const shard = Shard.open(`${dir}/${i % 5}.shard`);
      shard.put('key', new Uint8Array(1000).fill(i));
      shard.get('key');
    };
    const before = fs.readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 200; i++) use(i);
    const most = fs.readdirSync('/proc/self/fd').length;
    // Collected handles are looked for once a second.
    for (let i = 0; i < 1000; i++) {
      await sleep(100);
      await collect();
      if (fs.readdirSync('/proc/self/fd').length <= before + 5) break;
    }
    return { before, most, after: fs.readdirSync('/proc/self/fd').length };
  };
  const { before, most, after } = await inChild(t, body, folder(t), GC);
  t.true(most > before + 100, `${before} ${most}`);
  t.true(after <= before + 5, `${before} ${after}`);
});

linux('copies do not keep much more memory than their own', async (t) => {
  const body = async ({ warmshard: { Shard }, collect }: Inside, dir: string) => {
    const shard = Shard.open(`${dir}/cache.shard`, { copy: true });
    shard.put('small', new Uint8Array(100));
    shard.put('large', new Uint8Array(100_000));
    const kept: unknown[] = [];
    await collect();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 10_000; i++) {
      shard.get('large');
      const small = shard.get('small');
      if (i % 100 === 0) kept.push(small);
      if (i % 1000 === 0) await collect();
    }
    await collect();
    return { kept: kept.length, more: process.memoryUsage().arrayBuffers - before };
  };
  const { more } = await inChild(t, body, folder(t), GC);
  // A hundred small copies are kept, and each may keep a slab alive.
  t.true(more < 100 * 128 * 1024, `${more} bytes`);
});
