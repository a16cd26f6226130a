// A get that was repeated a thousand times returned the old value after the entry had changed.

import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Shard } from 'warmshard';
import { MOST } from '../facade/later/memo.js';
import { bytes, same, text } from './helpers/bytes.js';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { keeping } from './helpers/keeping.js';
import { FOR_EVER } from './helpers/patience.js';
import { throwsCode } from './helpers/throws.js';

/** More look-ups than it takes before answers are kept. */
const MANY = 200_000;

const twice = (shard: Shard<unknown>, key: string) => [shard.get(key), shard.get(key)];

/** Whether the answer for a key is kept at some point: then two gets return the same object. */
function isKept(shard: Shard, key: string, looks = MANY): boolean {
  for (let i = 0; i < looks; i++) {
    const [one, other] = twice(shard, key);
    if (one === other) return true;
  }
  return false;
}

keeping('every kind of change is seen at the next get', (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  using other = Shard.open(path);
  const changes: [name: string, change: (by: Shard) => unknown, then: string | undefined][] = [
    ['put', (by) => by.put('k', bytes('put')), 'put'],
    ['mergeIn', (by) => by.mergeIn([['k', bytes('merged')]]), 'merged'],
    ['replaceAll', (by) => by.replaceAll([['k', bytes('replaced')]]), 'replaced'],
    ['compact', (by) => by.compact(), 'first'],
    ['another key', (by) => by.put('another', bytes('y')), 'first'],
    ['flush', (by) => by.flush(), 'first'],
    ['delete', (by) => by.delete('k'), undefined],
    ['clear', (by) => by.clear(), undefined],
    ['expired', (by) => by.put('k', bytes('old'), { expiresAt: 1 }), undefined],
  ];
  for (const by of [shard, other])
    for (const [name, change, then] of changes) {
      // Into a new file, because values that are put into an open file are first copied, not lent.
      by.replaceAll([['k', bytes('first')]]);
      t.true(isKept(shard, 'k'), `kept before ${name}`);
      change(by);
      t.is(text(shard.get('k')), then, name);
      for (let i = 0; i < 100; i++) if (text(shard.get('k')) !== then) t.fail(name);
    }
});

keeping('answers are kept in code that is not optimised, too', (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('k', bytes('v'));
  t.true(isKept(shard, 'k', 3));
});

keeping('a loop that only calls get sees the put of another process', async (t) => {
  const path = shardPath(t);
  using shard = Shard.open(path);
  const child = startChild(
    t,
    async ({ warmshard: { Shard }, sleep, receive, send }: Inside, path: string) => {
      const shard = Shard.open(path);
      send('ready');
      for (let round = 1; round <= 5; round++) {
        await receive();
        await sleep(30);
        shard.put('k', Buffer.from(`${round}`));
      }
    },
    path,
  );
  await child.receive();
  for (let round = 1; round <= 5; round++) {
    shard.replaceAll([['k', bytes('before')]]);
    t.true(isKept(shard, 'k'));
    child.send('go');
    const end = Date.now() + FOR_EVER;
    while (text(shard.get('k')) !== `${round}`) if (Date.now() > end) return t.fail(`never saw ${round}`);
  }
  await child.exit;
});

keeping('each thread keeps its own answers, and sees the puts of the others', async (t) => {
  const seen = await inChild(
    t,
    async ({ warmshard: { Shard }, worker, sleep }: Inside, path: string) => {
      const shard = Shard.open(path);
      shard.put('k', Buffer.from('0'));
      const thread = worker(({ warmshard: { Shard }, threads }: Inside, path: string) => {
        const shard = Shard.open(path);
        let kept = false;
        let last = shard.get('k');
        for (let i = 0; i < 200_000 && !kept; i++) {
          const next = shard.get('k');
          kept = next === last;
          last = next;
        }
        threads.parentPort?.postMessage('ready');
        const end = Date.now() + 240_000;
        while (shard.get('k')?.[0] !== 49) if (Date.now() > end) throw new Error('never seen');
        threads.parentPort?.postMessage(kept);
      }, path);
      const next = () => new Promise((done) => thread.once('message', done));
      await next();
      const last = next();
      await sleep(30);
      shard.put('k', Buffer.from('1'));
      return last;
    },
    shardPath(t),
    { env: { WARMSHARD_FAST: 'eager' } },
  );
  t.true(seen);
});

keeping('values that expire, have a validator, are copied or decoded by a codec are never kept', (t) => {
  const dir = folder(t);
  using shard = Shard.open(join(dir, 'a'));
  const expiresAt = Date.now() + 300;
  shard.put('expires', bytes('v'), { expiresAt });
  shard.put('validated', bytes('v'), { validator: { digest: bytes('d') } });
  shard.put('plain', bytes('v'));
  shard.put('empty', bytes(''));
  t.true(isKept(shard, 'plain'));
  t.false(isKept(shard, 'empty', 3000));
  t.false(isKept(shard, 'validated', 3000));
  for (let now = 0; now <= expiresAt; ) {
    now = Date.now();
    const value = shard.get('expires');
    if (value !== undefined && now > expiresAt) return t.fail('found after it had expired');
  }
  t.is(shard.get('expires'), undefined);
  using copying = Shard.open(join(dir, 'a'), { copy: true });
  t.false(isKept(copying, 'plain', 40_000));
  using careful = Shard.open(join(dir, 'a'), { verify: 'always' });
  t.false(isKept(careful, 'plain', 40_000));
  using json = Shard.open<object>(join(dir, 'b'), { codec: 'json' });
  json.put('k', {});
  for (let i = 0; i < 3000; i++) {
    const [one, other] = twice(json, 'k');
    if (one === other) return t.fail('a value was kept');
  }
});

keeping('a closed shard throws, although it has kept answers', (t) => {
  const shard = Shard.open(shardPath(t));
  shard.put('k', bytes('v'));
  t.true(isKept(shard, 'k'));
  const value = shard.get('k');
  shard.close();
  for (let i = 0; i < 3; i++) throwsCode(t, 'ERR_CLOSED', () => shard.get('k'));
  throwsCode(t, 'ERR_CLOSED', () => shard.getMany(['k']));
  throwsCode(t, 'ERR_CLOSED', () => shard.stats());
  same(t, value, bytes('v'));
});

keeping('transferring the memory of a kept value does not prevent the next get', (t) => {
  using shard = Shard.open(shardPath(t));
  shard.put('k', bytes('value'));
  for (let round = 0; round < 3; round++) {
    t.true(isKept(shard, 'k'));
    const value = shard.get('k') as Uint8Array;
    same(t, value, bytes('value'));
    const buffer = value.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
    // Node.js 20 has no `transfer`, and no other way to transfer lent memory.
    buffer.transfer?.();
    t.is(value.length, 'transfer' in buffer ? 0 : 5);
    same(t, shard.get('k'), bytes('value'));
  }
});

keeping('each hit is counted, and so is each miss', (t) => {
  using shard = Shard.open(shardPath(t));
  for (let i = 0; i < 10; i++) shard.put(`k${i}`, bytes(`${i}`));
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  let [hits, misses] = [0, 0];
  for (let i = 0; i < 50_000; i++) {
    if (shard.get(keys[i % 20] as string) === undefined) misses++;
    else hits++;
    if (i % 9973 === 0) t.like(shard.stats(), { hits, misses });
  }
  for (const value of shard.getMany(keys)) value === undefined ? misses++ : hits++;
  t.like(shard.stats(), { hits, misses });
});

keeping('a file that is replaced by hand is noticed', async (t) => {
  const dir = folder(t);
  const [path, aside] = [join(dir, 'a'), join(dir, 'b')];
  using shard = Shard.open(path);
  shard.put('k', bytes('old'));
  {
    using made = Shard.open(aside);
    made.put('k', bytes('new'));
    made.flush();
  }
  copyFileSync(aside, `${aside}.copy`);
  t.true(isKept(shard, 'k'));
  renameSync(`${aside}.copy`, path);
  const end = Date.now() + FOR_EVER;
  for (let i = 0; text(shard.get('k')) !== 'new'; i++) {
    if (i % 1000 === 0) await new Promise((done) => setTimeout(done, 1));
    if (Date.now() > end) return t.fail('never noticed');
  }
  t.pass();
});

keeping('strings that are new each time end keeping, and repeated ones start it again', async (t) => {
  const seen = await inChild(
    t,
    ({ warmshard: { Shard } }: Inside, path: string) => {
      const shard = Shard.open(path);
      const made = Buffer.from('a key like the path of a file, k');
      const fresh = () => made.toString('latin1');
      const key = fresh();
      shard.put(key, Buffer.from('v'));
      const isSame = () => {
        const [one, other] = [shard.get(key), shard.get(key)];
        return one === other;
      };
      const looks = (most: number) => {
        for (let i = 0; i < most; i++) if (isSame()) return i;
        return most;
      };
      const began = looks(5_000_000);
      for (let i = 0; i < 100_000; i++) if (shard.get(fresh())?.[0] !== 118) throw new Error('lost');
      const ended = !isSame();
      return { began, ended, again: looks(3_000_000) };
    },
    shardPath(t),
    { env: { WARMSHARD_FAST: '1' } },
  );
  t.true(seen.began > 0 && seen.began < 5_000_000, `${seen.began} look-ups`);
  t.true(seen.ended);
  // After attempts that did not pay it takes up to about 1,000 ticks, of a thousand hits each, until the next one.
  t.true(seen.again < 1_200_000, `${seen.again} look-ups`);
});

keeping('only so many answers are kept, and those that are not asked for any more are dropped', async (t) => {
  const seen = await inChild(
    t,
    async ({ warmshard: { Shard }, collect, sleep }: Inside, [path, MOST]: [string, number]) => {
      const shard = Shard.open(path);
      const keys = Array.from({ length: 50_000 }, (_, i) =>
        Buffer.from(`a key of some length ${i}`).toString('latin1'),
      );
      const value = Buffer.alloc(40, 1);
      // Not `mergeIn`: values that are put into an open file are copied, not lent.
      shard.replaceAll(keys.map((key) => [key, value]));
      const heap = async () => {
        await collect();
        return process.memoryUsage().heapUsed;
      };
      // A function of its own, because V8 makes no fast calls where exceptions are caught, as in an async function.
      const count = (keys: readonly string[]) => {
        let kept = 0;
        for (const key of keys) {
          const [one, other] = [shard.get(key), shard.get(key)];
          if (one === other) kept++;
        }
        return kept;
      };
      // On a busy machine V8 optimises late.
      let kept = 0;
      for (let round = 0; round < 60 && kept <= MOST - 512; round++) kept = count(keys);
      const full = await heap();
      for (let i = 0; i < 50; i++) await sleep(100);
      return { kept, freed: full - (await heap()), length: shard.get(keys[0] as string)?.length };
    },
    [shardPath(t), MOST],
    { env: { WARMSHARD_FAST: 'eager' }, nodeArgs: ['--expose-gc'] },
  );
  // In each turn of look-ups, one key is asked for again.
  t.true(seen.kept > MOST - 512 && seen.kept <= MOST, `${seen.kept} were kept`);
  t.true(seen.freed > 2e6, `${seen.freed} bytes were freed`);
  t.is(seen.length, 40);
});

keeping('if only a third of the keys could be kept, none is, because that does not pay', async (t) => {
  const share = await inChild(
    t,
    ({ warmshard: { Shard } }: Inside, [path, count]: [string, number]) => {
      const shard = Shard.open(path);
      const keys = Array.from({ length: count }, (_, i) => Buffer.from(`a key ${i}`).toString('latin1'));
      const value = Buffer.alloc(40, 1);
      shard.replaceAll(keys.map((key) => [key, value]));
      let at = 0;
      const kept = (looks: number) => {
        let same = 0;
        for (let i = 0; i < looks; i++) {
          const key = keys[at] as string;
          const [one, other] = [shard.get(key), shard.get(key)];
          if (one === other) same++;
          // An order that visits distant keys in turn.
          at = (at + 7919) % keys.length;
        }
        return same / looks;
      };
      // Attempts end after 8,192 look-ups, and become less and less frequent.
      kept(1_500_000);
      return kept(200_000);
    },
    [shardPath(t), 3 * MOST],
    { env: { WARMSHARD_FAST: '' } },
  );
  t.true(share < 0.1, `${share} of the look-ups were answered by kept answers`);
});

async function keeps(t: ExecutionContext, env: Record<string, string>) {
  return inChild(
    t,
    ({ warmshard: { Shard } }: Inside, path: string) => {
      const shard = Shard.open(path);
      shard.put('k', Buffer.from('v'));
      let last = shard.get('k');
      for (let i = 0; i < 1_000_000; i++) {
        const next = shard.get('k');
        if (next === last) return true;
        last = next;
      }
      return false;
    },
    shardPath(t),
    { env },
  );
}

keeping('the slow part of get is too large to be inlined by V8 into a loop', async (t) => {
  const child = startChild(
    t,
    ({ warmshard: { Shard } }: Inside, path: string) => {
      const shard = Shard.open(path);
      for (let i = 0; i < 3; i++) shard.get('k');
    },
    shardPath(t),
    { env: { WARMSHARD_FAST: 'eager' }, nodeArgs: ['--print-bytecode', '--print-bytecode-filter=ask'] },
  );
  const { stdout } = await child.exit;
  const length = Number(/function: ask .*\nBytecode length: (\d+)/.exec(stdout)?.[1]);
  const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  const limit = Number(/--max-inlined-bytecode-size=(\d+)/.exec(options)?.[1]);
  t.true(limit > 0 && length > limit, `${length} bytes of bytecode; V8's limit is ${limit}`);
});

keeping('keeping answers can be switched off', async (t) => {
  t.true(await keeps(t, { WARMSHARD_FAST: '1' }));
  t.false(await keeps(t, { WARMSHARD_MEMO: '0' }));
  t.false(await keeps(t, { WARMSHARD_FAST: '0' }));
});
