// Another process that holds a shard's lock.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';

const hasFlock = spawnSync('flock', ['--version']).status === 0;
/** `test`, or `test.skip` if there is no `flock` program to hold the lock. */
export const locked = hasFlock ? test : test.skip;

/** Locks the sidecar and the shard file from another process. The returned function releases the locks. */
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
