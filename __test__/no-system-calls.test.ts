// A cache that made a system call for each hit was slower than compiling.

import { join } from 'node:path';
import test from 'ava';
import { type Inside, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { betweenMarks, canTrace, straced } from './helpers/strace.js';

/** Calls that V8 makes by itself: for memory, its threads and the clock. */
const BACKGROUND =
  /^(futex|madvise|munmap|mprotect|brk|sched_yield|clock_\w+|getrusage|epoll_\w+|restart_syscall)$/;

for (const [name, options] of Object.entries({ lend: {}, copy: { copy: true } })) {
  test(`a hundred thousand hits make no system call (${name})`, async (t) => {
    if (!canTrace(t)) return;
    const dir = folder(t);
    const trace = join(dir, 'trace');
    const body = (
      { warmshard: { Shard }, fs }: Inside,
      { path, options }: { path: string; options: object },
    ) => {
      const keys = Array.from({ length: 2000 }, (_, i) => `/app/src/module ${i}.js`);
      const validator = { mtimeSec: 1, mtimeNsec: 2 };
      {
        const shard = Shard.open(path);
        shard.mergeIn(keys.map((key, i) => ({ key, value: new Uint8Array(i).fill(i), validator })));
        shard.close();
      }
      const shard = Shard.open(path, options);
      const pass = () => {
        let sum = 0;
        for (const key of keys) {
          sum += shard.get(key)?.length ?? Number.NaN;
          if (!shard.has(key)) throw new Error('lost');
        }
        for (let i = 0; i < 500; i++) {
          sum += shard.get(keys[i] as string, validator)?.length ?? Number.NaN;
          sum += shard.getParts(keys[i] as string)?.['']?.length ?? Number.NaN;
        }
        sum += shard.getMany(keys.slice(0, 1000)).reduce((sum, value) => sum + (value?.length ?? 0), 0);
        return sum;
      };
      for (let i = 0; i < 5; i++) pass();
      const before = shard.stats().hits;
      fs.writeSync(2, 'MARK BEGIN\n');
      let sum = 0;
      for (let i = 0; i < 25; i++) sum += pass();
      fs.writeSync(2, 'MARK END\n');
      if (Number.isNaN(sum)) throw new Error('a miss');
      return shard.stats().hits - before;
    };
    const child = startChild(
      t,
      body,
      { path: join(dir, 'cache.shard'), options },
      {
        under: straced(trace),
      },
    );
    const exit = await child.exit;
    t.is(exit.code, 0, exit.stderr);
    t.is(await child.result, 25 * 4000);
    const { lines, main } = betweenMarks(t, trace);
    const calls = lines
      .map((line) => /^(\d+) +(?:<\.\.\. )?(\w+)/.exec(line))
      .filter((call) => call !== null);
    const ours = calls.filter(([, thread, call]) => thread === main && !BACKGROUND.test(call as string));
    // At most four times a second the shard looks whether its files are still there.
    const looks = ours.filter(([, , call]) => /stat/.test(call as string));
    const rest = ours.filter(([, , call]) => !/stat/.test(call as string));
    t.true(looks.length < 40, `${looks.map(([, , call]) => call)}`);
    t.true(rest.length < 20, `${rest.map(([, , call]) => call)}`);
    t.log(
      `${calls.length} calls of all threads, of them ${ours.length} by the main thread for files and memory`,
    );
    const files = lines.filter((line) => /\b(open\w*|p?read\w*|flock|p?write\w*)\(/.test(line));
    t.deepEqual(
      files.filter((line) => line.includes('.shard') || /\b(pread|flock|pwrite)/.test(line)),
      [],
    );
  });
}
