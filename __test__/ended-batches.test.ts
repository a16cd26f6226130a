// A server terminated threads that did not answer in time. Those that were storing a batch just then ran for ever.

import test from 'ava';
import { type Inside, inChild } from './helpers/child.js';
import { shardPath } from './helpers/folder.js';

test('a thread that is terminated while its batch is read ends, and nothing of the batch is published', async (t) => {
  const body = async ({ warmshard: { Shard }, worker }: Inside, path: string) => {
    const shard = Shard.open(path);
    shard.put('before', new Uint8Array(1));
    const thread = worker(({ warmshard: { Shard }, threads }, path) => {
      const shard = Shard.open(path);
      // The facade reads the entries for the addon through this function: see `Values.collect`.
      const { apply } = Reflect;
      let armed = false;
      Reflect.apply = ((...call: Parameters<typeof apply>) => {
        if (!armed) return apply(...call);
        threads.parentPort?.postMessage('reading');
        for (;;);
      }) as typeof apply;
      const batch = Array.from({ length: 64 }, (_, i): [string, Uint8Array] => [`${i}`, new Uint8Array(10)]);
      shard.get('before');
      armed = true;
      shard.mergeIn(batch);
      for (;;);
    }, path);
    await new Promise((done) => thread.once('message', done));
    const ended = await Promise.race([
      thread.terminate().then(() => true),
      new Promise((done) => setTimeout(done, 240_000, false).unref()),
    ]);
    const { size } = shard;
    // Otherwise this process would wait for that thread.
    if (!ended) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000).unref();
    return { ended, size };
  };
  t.deepEqual(await inChild(t, body, shardPath(t)), { ended: true, size: 1 });
});

test('a script whose time limit ends while its batch is read stops there', async (t) => {
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    const vm: typeof import('node:vm') = require('node:vm');
    const shard = Shard.open(path);
    const { apply } = Reflect;
    let armed = false;
    Reflect.apply = ((...call: Parameters<typeof apply>) => {
      if (!armed) return apply(...call);
      for (;;);
    }) as typeof apply;
    const batch = Array.from({ length: 64 }, (_, i): [string, Uint8Array] => [`${i}`, new Uint8Array(10)]);
    const store = () => {
      armed = true;
      shard.mergeIn(batch);
    };
    const told: string[] = [];
    try {
      vm.runInNewContext('store(); told.push("went on")', { store, told }, { timeout: 50 });
    } catch (error) {
      told.push(String((error as { code?: string }).code));
    }
    armed = false;
    const after = shard.size;
    shard.mergeIn(batch);
    return { told, after, size: shard.size };
  };
  const expected = { told: ['ERR_SCRIPT_EXECUTION_TIMEOUT'], after: 0, size: 64 };
  t.deepEqual(await inChild(t, body, shardPath(t)), expected);
});
