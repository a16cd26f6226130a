// Leaks: repeats opens, look-ups, changes and worker threads many times. Memory, descriptors and mappings must not grow.

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { ArtifactStore, DiskPipelineCache, Shard } from 'warmshard';
import { LENT_MIB } from '../lib/bounds.mjs';
import { lent, measured, own } from '../lib/heap.mjs';
import { options, report, scratch, skipped } from '../lib/options.mjs';

/** Growth that is not a leak: MiB in total, MiB allocated from the C library, descriptors and mappings. */
const NOISE = { mib: 24, lent: LENT_MIB, descriptors: 8, maps: 40 };

/** Fewest rounds of each deed, both before the first measurement and after it. */
const LEAST_ROUNDS = 3;

const { seconds } = options(60);
const dir = scratch();
const env = measured(dir);
if (env.LD_PRELOAD !== undefined && lent() === undefined) {
  // Start again with the library preloaded that counts allocated memory.
  const { status } = spawnSync(process.execPath, process.argv.slice(1), {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const measure = async () => {
  // Finalizers run when the event loop has time for them.
  for (let i = 0; i < 10; i++) {
    gc();
    await new Promise((done) => setTimeout(done, 10));
  }
  return {
    mib: own(),
    lent: lent() ?? 0,
    descriptors: readdirSync('/proc/self/fd').length,
    maps: readFileSync('/proc/self/maps', 'utf8').split('\n').length,
  };
};

/** Each deed repeats something and returns how often. @type {Record<string, () => Promise<number> | number>} */
const DEEDS = {
  'look-ups': (() => {
    const shard = Shard.open(`${dir}/gets.shard`);
    for (let i = 0; i < 1000; i++) shard.put(`key ${i}`, new Uint8Array(i * 7));
    return () => {
      for (let i = 0; i < 50_000; i++) shard.get(`key ${i % 1100}`);
      return 50_000;
    };
  })(),
  opens() {
    for (let i = 0; i < 200; i++) {
      const shard = Shard.open(`${dir}/${i % 7}.shard`);
      if (i % 20 === 0) shard.put('key', new Uint8Array(50_000));
      shard.get('key');
      // One in ten is left to the garbage collector.
      if (i % 10 !== 0) shard.close();
    }
    return 200;
  },
  'openings of other stores'() {
    for (let i = 0; i < 20; i++) {
      const store = ArtifactStore.open(`${dir}/artifacts`);
      store.putOutputs('key', [new Uint8Array(300_000)]);
      store.output('key', 0);
      store.close();
      const cache = DiskPipelineCache.open(`${dir}/pipeline`);
      cache.put(new Uint8Array(32), new Uint8Array(300_000));
      cache.get(new Uint8Array(32));
      cache.close();
    }
    return 40;
  },
  // Each process follows the puts of the other, and both compact.
  'changes beside another process': (() => {
    const path = `${dir}/shared.shard`;
    const open = `require(${JSON.stringify(createRequire(import.meta.url).resolve('warmshard'))}).Shard.open(${JSON.stringify(path)}, { maxBytes: 4 << 20 })`;
    const source = `const shard = ${open}; let n = 0;
      setInterval(() => { for (let i = 0; i < 20; i++) shard.put('key ' + (n++ % 500), new Uint8Array(n % 30_000)); }, 5);`;
    /** @type {Shard<Uint8Array> | undefined} */
    let shard;
    let n = 0;
    return () => {
      if (shard === undefined) {
        shard = Shard.open(path, { maxBytes: 4 << 20 });
        const other = spawn(process.execPath, ['-e', source], { stdio: 'inherit' });
        other.unref();
        process.on('exit', () => other.kill());
      }
      for (let i = 0; i < 100; i++, n++) {
        if (i % 10 === 0) shard.put(`key ${n % 500}`, new Uint8Array(n % 30_000));
        else shard.get(`key ${n % 501}`);
      }
      return 100;
    };
  })(),
  async 'worker threads'() {
    const source = `const { Shard } = require('warmshard');
      const shard = Shard.open(process.argv[2]); shard.put('key', new Uint8Array(9000)); shard.get('key'); shard.flushAsync().then(() => {});`;
    const workers = Array.from(
      { length: 4 },
      () => new Worker(source, { eval: true, argv: [`${dir}/worker.shard`] }),
    );
    await Promise.all(
      workers.map((worker) => new Promise((done, fail) => worker.on('exit', done).on('error', fail))),
    );
    return workers.length;
  },
};

/** @param {() => Promise<number> | number} deed @param {number} ms */
async function repeat(deed, ms) {
  const until = Date.now() + ms;
  let done = 0;
  // Even on a slow machine, some rounds must come before the first measurement: what a first round allocates is no leak.
  for (let i = 0; i < LEAST_ROUNDS || Date.now() < until; i++) {
    done += await deed();
    if (i % 5 === 0) await new Promise(setImmediate);
    if (i % 25 === 0) gc();
  }
  return done;
}

if (process.platform === 'linux') {
  const before = lent();
  const kept = new Uint8Array(2 << 20);
  if (before !== undefined && (lent() ?? 0) < before + kept.length / 2 ** 20)
    report('leaks', 'allocated memory is not counted correctly', [
      `${before} MiB before, ${lent()} MiB after allocating ${kept.length} bytes`,
    ]);
  for (const [name, deed] of Object.entries(DEEDS)) {
    // In the first half V8 and the allocator take what they need once. A leak goes on in the second half.
    const half = (seconds * 500) / Object.keys(DEEDS).length;
    await repeat(deed, half);
    const before = await measure();
    const done = await repeat(deed, half);
    let after = await measure();
    const grown = () =>
      /** @type {const} */ (['mib', 'lent', 'descriptors', 'maps']).filter(
        (what) => after[what] > before[what] + NOISE[what],
      );
    // V8 collects handles that were not closed only after a while, and a running compaction needs memory.
    for (let i = 0; i < 200 && grown().length > 0; i++) after = await measure();
    report(
      `leaks of ${name}`,
      `${done} times: ${before.mib.toFixed(0)} -> ${after.mib.toFixed(0)} MiB, ${before.lent.toFixed(1)} -> ${after.lent.toFixed(1)} MiB of it allocated from the C library, ${before.descriptors} -> ${after.descriptors} descriptors, ${before.maps} -> ${after.maps} mappings`,
      grown().map((what) => `${what} grew from ${before[what]} to ${after[what]}`),
    );
  }
} else skipped('leaks', 'memory is counted on Linux only');
