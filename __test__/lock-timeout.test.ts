// One process hung while it held the lock, and every other process on the machine hung with it.

import { spawn } from 'node:child_process';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';
import { holdLock, locked } from './helpers/lock.js';
import { atBest, FOR_EVER } from './helpers/patience.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

locked('methods that write give up in time with ERR_LOCK_TIMEOUT; those that read do not wait', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path, { lockTimeout: 100 });
  shard.put('key', bytes('value'));
  const release = await holdLock(t, path);
  const writes: Record<string, () => unknown> = {
    put: () => shard.put('other', bytes('x')),
    delete: () => shard.delete('key'),
    mergeIn: () => shard.mergeIn([['other', bytes('x')]]),
    replaceAll: () => shard.replaceAll([['other', bytes('x')]]),
    clear: () => shard.clear(),
    compact: () => shard.compact(),
    flush: () => shard.flush(),
  };
  for (const [name, write] of Object.entries(writes)) {
    const took = await atBest(1000, () => {
      const error = throwsCode(t, 'ERR_LOCK_TIMEOUT', write, name);
      t.is(error?.path, `${path}.lock`);
      t.true(error?.message.includes('100 ms'));
    });
    t.true(took >= 95 && took < 1000, `${name} took ${took} ms`);
  }
  await rejectsCode(t, 'ERR_LOCK_TIMEOUT', () => shard.mergeInAsync([['other', bytes('x')]]));
  await rejectsCode(t, 'ERR_LOCK_TIMEOUT', () => shard.compactAsync());
  t.is(text(shard.get('key')), 'value');
  t.true(shard.has('key'));
  t.is(shard.list().length, 1);
  t.true(shard.verify().ok);
  using opened = Shard.open(path, { lockTimeout: 0 });
  t.is(text(opened.get('key')), 'value');
  throwsCode(t, 'ERR_LOCK_TIMEOUT', () => opened.put('other', bytes('x')));
  await release();
  t.is(shard.size, 1, 'nothing was stored');
  shard.put('other', bytes('x'));
  t.is(text(opened.get('other')), 'x');
});

locked('a writer that waits goes on when the lock is released', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path, { lockTimeout: FOR_EVER });
  shard.put('key', bytes('value'));
  const release = await holdLock(t, path);
  const work = shard.mergeInAsync([['async', bytes('async')]]);
  setTimeout(() => void release(), 50);
  t.is(await work, 1);
  t.is(text(shard.get('async')), 'async');
});

locked('the lock is released when its holder is killed', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path, { lockTimeout: FOR_EVER });
  shard.put('key', bytes('value'));
  const holder = spawn('flock', [
    '--exclusive',
    '--no-fork',
    `${path}.lock`,
    'sh',
    '-c',
    'echo held; exec sleep 1000',
  ]);
  await new Promise((done) => holder.stdout.once('data', done));
  setTimeout(() => holder.kill('SIGKILL'), 30);
  await new Promise((done) => holder.once('exit', done));
  shard.put('other', bytes('x'));
  t.is(shard.size, 2);
});

locked('an abort ends the wait for the lock', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path, { lockTimeout: FOR_EVER });
  shard.put('key', bytes('value'));
  const release = await holdLock(t, path);
  const signal = AbortSignal.timeout(50);
  await rejectsCode(t, 'ERR_ABORTED', () => shard.mergeInAsync([['other', bytes('x')]], { signal }));
  await release();
  t.deepEqual([...shard.keys()], ['key']);
});
