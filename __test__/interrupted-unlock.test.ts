// A signal arrived just as a process released the lock. It kept the lock, and no other process could put for minutes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { type Inside, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { FOR_EVER } from './helpers/patience.js';
import { canTrace } from './helpers/strace.js';

test('a lock is released, however often a signal interrupts the call', async (t) => {
  if (!canTrace(t, '-e', 'inject=flock:error=EINTR')) return;
  const dir = folder(t);
  const [path, trace] = [join(dir, 'cache.shard'), join(dir, 'trace')];
  // Interrupts every second call, for example the first attempt of each unlock.
  const inject = ['-e', 'trace=flock', '-e', 'inject=flock:error=EINTR:when=2+2', '-o', trace];
  const child = startChild(
    t,
    async ({ warmshard: { Shard }, send, receive }: Inside, path: string) => {
      const shard = Shard.open(path, { codec: 'bytes', copy: false });
      const values = [];
      for (const key of ['a', 'b']) {
        shard.put(key, new Uint8Array(100_000));
        values.push(shard.get(key));
      }
      shard.compact();
      shard.put('c', new Uint8Array(100_000));
      send(values.length);
      await receive();
      return values.map((value) => value?.length);
    },
    path,
    { under: ['strace', '-f', '-qq', ...inject] },
  );
  t.is(await child.receive(), 2);
  const shard = Shard.open(path, { codec: 'bytes', lockTimeout: FOR_EVER });
  t.teardown(() => shard.close());
  shard.put('mine', bytes('mine'));
  shard.compact();
  shard.put('mine', bytes('mine too'));
  t.is(text(shard.get('mine')), 'mine too');
  child.send('end');
  t.deepEqual(await child.result, [100_000, 100_000]);
  t.regex(readFileSync(trace, 'utf8'), /LOCK_UN\) += -1 EINTR.*INJECTED/);
});
