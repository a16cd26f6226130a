// The system calls to find a file, to see whether it had changed and to read the cache took longer than compiling.

import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Inside, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { source } from './helpers/scripts.js';
import { betweenMarks, canTrace, straced } from './helpers/strace.js';

/** Calls that V8 makes by itself: for memory, its threads and the clock. */
const BACKGROUND =
  /^(futex|madvise|munmap|mmap|mprotect|brk|sched_yield|clock_\w+|getrusage|epoll_\w+|restart_syscall)$/;

for (const [validate, parts] of [
  ['mtime', ['code']],
  ['mtime', ['program', 'chunk']],
  ['content', ['code']],
] as const)
  test(`a warm load makes one system call, the stat (${validate}, ${parts})`, async (t) => {
    if (!canTrace(t)) return;
    const dir = realpathSync(folder(t));
    const trace = join(dir, 'trace');
    mkdirSync(join(dir, 'src'));
    const files = Array.from({ length: 200 }, (_, i) => source(join(dir, 'src', `${i}.js`), `${i}`));
    const body = async (
      { warmshard: { ScriptCache }, fs, sleep }: Inside,
      { dir, files, validate, parts }: { dir: string; files: string[]; validate: 'mtime'; parts: string[] },
    ) => {
      const cache = ScriptCache.open(`${dir}/cache.shard`, {
        host: { name: 'tool', version: '1', binary: false },
        validate,
        parts,
      });
      for (const file of files)
        cache.save(file, Object.fromEntries(parts.map((part) => [part, Buffer.from(file)])));
      const pass = () => {
        for (const file of files)
          if (cache.load(file)?.[parts[0] as string] === undefined) throw new Error('lost');
      };
      await sleep(50);
      for (let i = 0; i < 5; i++) pass();
      fs.writeSync(2, 'MARK BEGIN\n');
      for (let i = 0; i < 50; i++) pass();
      fs.writeSync(2, 'MARK END\n');
    };
    const child = startChild(
      t,
      body,
      { dir, files, validate: validate as 'mtime', parts: [...parts] },
      { under: straced(trace) },
    );
    const exit = await child.exit;
    t.is(exit.code, 0, exit.stderr);
    const { lines, main } = betweenMarks(t, trace);
    const calls = lines
      .map((line) => ({ line, call: /^(\d+) +(\w+)\(/.exec(line) }))
      .filter(({ call }) => call !== null && call[1] === main && !BACKGROUND.test(call[2] as string));
    const stats = calls.filter(({ line }) => /stat\w*\([^)]*\/src\/\d+\.js"/.test(line));
    t.is(stats.length, 50 * files.length, 'one for each load');
    // At most four times a second the cache looks whether its own files are still there.
    const rest = calls.filter((call) => !stats.includes(call)).map(({ line }) => line);
    t.true(rest.length < 40, rest.slice(0, 20).join('\n'));
    t.deepEqual(
      rest.filter((line) => /\b(pread|pwrite|flock)|open.*cache\.shard/.test(line)),
      [],
    );
  });
