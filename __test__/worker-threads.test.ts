// A test runner terminated its workers while they wrote, and the whole process died of a segmentation fault.

import test from 'ava';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';

test("workers share a shard and see each other's puts", async (t) => {
  const body = async ({ warmshard: { Shard }, worker }: Inside, path: string) => {
    const shard = Shard.open(path);
    const done = await Promise.all(
      [1, 2, 3, 4].map(
        (me) =>
          new Promise<unknown>((resolve, reject) => {
            const thread = worker(
              ({ warmshard: { Shard }, threads }, { path, me }) => {
                const shard = Shard.open(path);
                for (let i = 0; i < 300; i++) {
                  shard.put(`${me} ${i}`, new Uint8Array(i).fill(me));
                  if (shard.get(`${me} ${i}`)?.length !== i) throw new Error(`lost ${i}`);
                }
                threads.parentPort?.postMessage(shard.get(`${me} 299`));
              },
              { path, me },
            );
            thread.once('message', (value: Uint8Array) => resolve(value.length === 299 && value[0] === me));
            thread.once('error', reject);
          }),
      ),
    );
    return { done, size: shard.size, ok: shard.verify().ok, last: shard.get('3 200')?.length };
  };
  t.deepEqual(await inChild(t, body, shardPath(t)), {
    done: [true, true, true, true],
    size: 1200,
    ok: true,
    last: 200,
  });
});

test('workers that come and go leave no memory or descriptors behind', async (t) => {
  const body = async ({ worker, collect, fs }: Inside, path: string) => {
    const run = () =>
      new Promise<number>((resolve, reject) => {
        const thread = worker(({ warmshard: { Shard } }, path) => {
          const shard = Shard.open(path);
          shard.put('key', new Uint8Array(50_000).fill(1));
          (globalThis as { kept?: unknown }).kept = [shard.get('key'), shard];
        }, path);
        thread.once('error', reject);
        thread.once('exit', resolve);
      });
    const codes = new Set<number>();
    const rss: number[] = [];
    for (let i = 0; i < 40; i++) {
      for (const code of await Promise.all([run(), run()])) codes.add(code);
      if (i % 10 === 9) {
        await collect();
        rss.push(process.memoryUsage().rss);
      }
    }
    return { codes: [...codes], rss, files: fs.readdirSync('/proc/self/fd').length };
  };
  const { codes, rss, files } = await inChild(t, body, shardPath(t), { nodeArgs: ['--expose-gc'] });
  t.deepEqual(codes, [0]);
  t.true((rss[3] as number) - (rss[0] as number) < 60 << 20, `${rss}`);
  t.true(files < 60, `${files} descriptors`);
});

test('terminating workers in the middle of any work does not harm the process', async (t) => {
  const body = async (
    { worker, sleep, warmshard }: Inside,
    { path, main }: { path: string; main: boolean },
  ) => {
    // With `main` the main thread has loaded the addon, too; without, it is unloaded with its last worker.
    if (main) warmshard.Shard.open(path).put('main', new Uint8Array(1));
    for (let i = 0; i < 24; i++) {
      const thread = worker(
        async ({ warmshard: { Shard } }, { path, kind }) => {
          const shard = Shard.open(path);
          const large = Array.from({ length: 200 }, (_, i): [string, Uint8Array] => [
            `${i}`,
            new Uint8Array(5000).fill(i),
          ]);
          require('node:worker_threads').parentPort.postMessage('begun');
          for (;;) {
            if (kind === 0) shard.put('key', new Uint8Array(10_000));
            else if (kind === 1) await shard.mergeInAsync(large, { onProgress: () => {} });
            else if (kind === 2)
              await Promise.all([
                shard.compactAsync(),
                shard.verifyAsync(),
                shard.flushAsync(),
                shard.evictStaleAsync(),
                shard.replaceAllAsync(large),
              ]);
            else {
              // Enough dead bytes that automatic compaction starts, on a thread of its own.
              shard.mergeIn(large);
              shard.get('1');
            }
          }
        },
        { path, kind: i % 4 },
      );
      await new Promise((done) => thread.once('message', done));
      await sleep(i % 7);
      await thread.terminate();
    }
    const shard = warmshard.Shard.open(path, { lockTimeout: 240_000 });
    shard.put('after', new Uint8Array(5));
    return { ok: shard.verify().ok, after: shard.get('after')?.length };
  };
  for (const main of [true, false])
    t.deepEqual(
      await inChild(t, body, { path: shardPath(t), main }),
      { ok: true, after: 5 },
      `main: ${main}`,
    );
});

/** Ways in which a process can end while work is running, with the expected exit code. */
const ENDS: Record<string, [number, (inside: Inside, path: string) => unknown]> = {
  'process.exit': [
    3,
    (_, path) => {
      void path;
      process.exit(3);
    },
  ],
  'process.exit from a worker, which ends only the worker': [
    0,
    ({ worker }, path) =>
      new Promise((done) => {
        worker(({ warmshard: { Shard } }, path) => {
          const shard = Shard.open(path);
          shard.compactAsync();
          shard.mergeInAsync([['w', new Uint8Array(100_000)]]);
          process.exit(5);
        }, path).once('exit', done);
      }),
  ],
  'process.exit while workers work': [
    4,
    async ({ worker, sleep }, path) => {
      for (let i = 0; i < 3; i++) {
        worker(async ({ warmshard: { Shard } }, path) => {
          const shard = Shard.open(path);
          for (;;) {
            shard.put('w', new Uint8Array(20_000));
            await shard.compactAsync();
          }
        }, path);
      }
      await sleep(120);
      process.exit(4);
    },
  ],
  'an exception nobody catches': [
    1,
    () => {
      process.removeAllListeners('uncaughtException');
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
      return new Promise(() => {});
    },
  ],
  'a rejection nobody handles': [
    1,
    () => {
      setImmediate(() => Promise.reject(new Error('nobody handles this')));
      return new Promise(() => {});
    },
  ],
};

for (const [name, [code, end]] of Object.entries(ENDS)) {
  test(`a process can end while work is running: ${name}`, async (t) => {
    const body = async (inside: Inside, { path, end }: { path: string; end: string }) => {
      const { Shard } = inside.warmshard;
      const shard = Shard.open(path);
      const large = Array.from({ length: 300 }, (_, i): [string, Uint8Array] => [
        `${i}`,
        new Uint8Array(10_000).fill(i),
      ]);
      shard.mergeIn(large);
      const ignore = () => {};
      void shard.mergeInAsync(large, { onProgress: ignore }).catch(ignore);
      void shard.compactAsync().catch(ignore);
      void shard.verifyAsync().catch(ignore);
      void shard.replaceAllAsync(large).catch(ignore);
      void shard.flushAsync().catch(ignore);
      shard.get('5');
      // Replaces entries, so that automatic compaction is running, too.
      shard.mergeIn(large);
      // biome-ignore lint/security/noGlobalEval: the function came here as its source
      await globalThis.eval(`(${end})`)(inside, path);
    };
    const path = shardPath(t);
    const child = startChild(t, body, { path, end: `${end}` });
    const exit = await child.exit;
    t.is(exit.signal, null, exit.stderr);
    t.is(exit.code, code, exit.stderr);
    const after = ({ warmshard: { Shard } }: Inside, path: string) => {
      const shard = Shard.open(path, { lockTimeout: 240_000 });
      shard.put('after', new Uint8Array(5));
      return shard.verify().ok;
    };
    t.true(await inChild(t, after, path));
  });
}

test('a worker that dies of an exception does not affect other threads', async (t) => {
  const body = async ({ warmshard: { Shard }, worker }: Inside, dir: string) => {
    const shard = Shard.open(`${dir}/cache.shard`);
    for (let i = 0; i < 5; i++) {
      const thread = worker(({ warmshard: { Shard } }, path) => {
        const shard = Shard.open(path);
        shard.mergeInAsync([['a', new Uint8Array(100_000)]]);
        shard.put('b', new Uint8Array(10));
        shard.get('');
      }, `${dir}/cache.shard`);
      const error = await new Promise<{ code?: string; name: string }>((done) => thread.once('error', done));
      if (error.code !== 'ERR_INVALID_KEY') throw error;
    }
    return shard.get('b')?.length;
  };
  t.is(await inChild(t, body, folder(t)), 10);
});
