// Another process that holds a shard's lock.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';

const hasFlock = spawnSync('flock', ['--version']).status === 0;
/** `test`, where there is a program to hold the lock with. */
export const locked = hasFlock ? test : test.skip;

/** Another process that holds the lock, the shard file's included, until it is told to let go. */
export async function holdLock(t: ExecutionContext, path: string): Promise<() => Promise<void>> {
  const locks = [`${path}.lock`, path].filter((file) => existsSync(file));
  const [first = '', ...args] = [
    ...locks.flatMap((file) => ['flock', '--exclusive', file]),
    ...['sh', '-c', 'echo held; read _'],
  ];
  const holder = spawn(first, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => holder.kill());
  await new Promise((done) => holder.stdout.once('data', done));
  return () =>
    new Promise((done) => {
      holder.once('exit', () => done());
      holder.stdin.end('\n');
    });
}
