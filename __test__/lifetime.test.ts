// A test runner crashed after hundreds of workers had used one cache, and a tool that built a startup snapshot died in V8.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';

const WORKERS = Number(process.env.WARMSHARD_WORKERS ?? 100);

test('many workers open, read and die while the main thread writes', async (t) => {
  const body = async ({ warmshard: { Shard }, worker }: Inside, args: { path: string; workers: number }) => {
    const shard = Shard.open(args.path);
    const value = (i: number) => new Uint8Array(1000 + i).fill(i);
    for (let i = 0; i < 100; i++) shard.put(`${i}`, value(i));
    let left = args.workers;
    let wrong = 0;
    const one = () =>
      new Promise<void>((resolve) => {
        const thread = worker(({ warmshard: { Shard }, threads }, path) => {
          const shard = Shard.open(path);
          for (let i = 0; i < 100; i++) {
            const found = shard.get(`${i}`);
            if (found === undefined || found.length < 1000 || found[0] !== found.at(-1))
              threads.parentPort?.postMessage('wrong');
          }
          // Some workers close the shard, some do not, and some exit in the middle of work.
          if (threads.threadId % 3 === 0) shard.close();
          if (threads.threadId % 3 === 1) void shard.verifyAsync().catch(() => {});
          if (threads.threadId % 3 === 1) process.exit(0);
        }, args.path);
        thread.on('message', () => wrong++);
        thread.on('error', () => wrong++);
        thread.once('exit', () => resolve());
      });
    let puts = 0;
    const writing = setInterval(() => {
      for (let i = 0; i < 20; i++) shard.put(`${puts % 100}`, value(puts++ % 100));
    }, 1);
    const lane = async () => {
      while (left-- > 0) await one();
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    clearInterval(writing);
    return { wrong, wrote: puts > 0, ok: shard.verify().ok, size: shard.size };
  };
  const args = { path: shardPath(t), workers: WORKERS };
  t.deepEqual(await inChild(t, body, args), { wrong: 0, wrote: true, ok: true, size: 100 });
});

test('a shard works with frozen intrinsics', async (t) => {
  const body = async ({ warmshard: { Shard } }: Inside, path: string) => {
    const shard = Shard.open<unknown>(path, { codec: 'json' });
    shard.put('key', { a: 1 });
    await shard.flushAsync();
    let code = '';
    try {
      shard.get('');
    } catch (error) {
      code = (error as { code: string }).code;
    }
    return [shard.get('key'), code, shard.list().length];
  };
  const found = await inChild(t, body, shardPath(t), { nodeArgs: ['--frozen-intrinsics'] });
  t.deepEqual(found as unknown, [{ a: 1 }, 'ERR_INVALID_KEY', 1]);
});

test('opening a shard while a startup snapshot is built is an error; a process that starts from it can open one', (t) => {
  const dir = folder(t);
  const root = JSON.stringify(join(__dirname, '..', 'package.json'));
  const path = JSON.stringify(join(dir, 'a.shard'));
  const node = (...args: string[]) =>
    spawnSync(process.execPath, ['--snapshot-blob', join(dir, 'blob'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
  const build = (source: string) => {
    writeFileSync(join(dir, 'main.cjs'), source);
    return node('--build-snapshot', join(dir, 'main.cjs'));
  };
  const early = build(`
    const { Shard } = require('node:module').createRequire(${root})('warmshard');
    try { Shard.open(${path}); } catch (error) { console.log(error.code, /setDeserializeMainFunction/.test(error.message)); }`);
  t.is(early.stdout, 'ERR_NATIVE_LOAD true\n', early.stderr);
  t.is(early.status, 0, early.stderr);
  const late = build(`
    require('node:v8').startupSnapshot.setDeserializeMainFunction(() => {
      const { Shard } = process.getBuiltinModule('node:module').createRequire(${root})('warmshard');
      const shard = Shard.open(${path});
      shard.put('key', new Uint8Array(4));
      console.log(shard.get('key').length);
    });`);
  t.is(late.status, 0, late.stderr);
  const started = node(join(dir, 'nothing.cjs'));
  t.is(started.stdout, '4\n', started.stderr);
});

test('a process may exit in the middle of work off the event loop', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path, { autoCompact: false });
  shard.mergeIn(Array.from({ length: 2000 }, (_, i) => [`${i}`, new Uint8Array(500).fill(i)]));
  for (const work of ['mergeIn', 'compact', 'verify', 'flush', 'evictStale'] as const) {
    const child = startChild(
      t,
      ({ warmshard: { Shard } }: Inside, args: { path: string; work: typeof work }) => {
        const shard = Shard.open(args.path);
        const entries: [string, Uint8Array][] = Array.from({ length: 2000 }, (_, i) => [
          `more ${i}`,
          new Uint8Array(500),
        ]);
        const begun = args.work === 'mergeIn' ? shard.mergeInAsync(entries) : shard[`${args.work}Async`]();
        void begun.catch(() => {});
        process.exit(3);
      },
      { path, work },
    );
    const { code, signal, stderr } = await child.exit;
    t.deepEqual([code, signal, stderr], [3, null, ''], work);
    t.true(shard.verify().ok, work);
    t.is(shard.get('1999')?.length, 500, work);
    t.true([2000, 4000].includes(shard.size), `${work}: all or nothing`);
  }
});

test('an addon that was unloaded in the middle of work can be loaded again', async (t) => {
  // The main thread never loads the addon, so it is unloaded when a worker ends.
  const body = async ({ worker }: Inside, path: string) => {
    const one = (stop: boolean) =>
      new Promise<unknown>((resolve, reject) => {
        const thread = worker(
          async ({ warmshard: { Shard }, threads }, args) => {
            const { path, stop } = args as { path: string; stop: boolean };
            const shard = Shard.open(path);
            for (let i = 0; i < 500; i++) shard.put(`${i}`, new Uint8Array(1000).fill(i));
            if (stop) for (let i = 0; i < 3; i++) void shard.verifyAsync().catch(() => {});
            threads.parentPort?.postMessage(shard.get('499')?.[0]);
            if (!stop) shard.close();
          },
          { path, stop },
        );
        thread.on('error', reject);
        thread.once('message', async (found) => {
          if (stop) await thread.terminate();
          resolve(found);
        });
      });
    const found: unknown[] = [];
    for (let i = 0; i < 8; i++) found.push(await one(true));
    found.push(await one(false));
    return found;
  };
  t.deepEqual(await inChild(t, body, shardPath(t)), Array(9).fill(499 % 256));
});

const single = Number(process.versions.node.split('.', 1)[0]) >= 26 ? test : test.skip;

single('a single executable finds the package beside it', (t) => {
  const dir = folder(t);
  const root = JSON.stringify(join(__dirname, '..', 'package.json'));
  writeFileSync(
    join(dir, 'main.cjs'),
    `const { Shard } = require('node:module').createRequire(${root})('warmshard');
    const shard = Shard.open(${JSON.stringify(join(dir, 'a.shard'))});
    shard.put('key', new Uint8Array(6));
    console.log(require('node:sea').isSea(), shard.get('key').length);`,
  );
  const config = {
    main: join(dir, 'main.cjs'),
    output: join(dir, 'app'),
    disableExperimentalSEAWarning: true,
  };
  writeFileSync(join(dir, 'sea.json'), JSON.stringify(config));
  const env = { ...process.env, NODE_OPTIONS: '' };
  const built = spawnSync(process.execPath, ['--build-sea', join(dir, 'sea.json')], {
    encoding: 'utf8',
    env,
  });
  t.is(built.status, 0, built.stderr);
  const { stdout, stderr } = spawnSync(join(dir, 'app'), { encoding: 'utf8', env });
  t.is(stdout, 'true 6\n', stderr);
});
