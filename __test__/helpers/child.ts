// Runs a function in another process. The function is passed as its source text, so it may only use its arguments
// and globals.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';

/** The first argument of a function in a child process, or in a worker thread of it. */
export interface Inside {
  readonly warmshard: typeof import('warmshard');
  readonly fs: typeof import('node:fs');
  readonly threads: typeof import('node:worker_threads');
  /** Sends a message to the parent process. */
  send(message: unknown): void;
  /** Waits for the next message from the parent process. */
  receive(): Promise<unknown>;
  /** Runs a function in a worker thread. */
  worker<A>(body: (inside: Inside, data: A) => unknown, data: A): Worker;
  sleep(ms: number): Promise<void>;
  /** Collects garbage and lets finalizers run; needs `--expose-gc`. */
  collect(): Promise<void>;
}

export interface ChildOptions {
  env?: Record<string, string>;
  nodeArgs?: string[];
  /** A program, and its arguments, that the child runs under, such as strace. */
  under?: string[];
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  readonly exit: Promise<Exit>;
  send(message: unknown): void;
  /** Waits for the next message from the child; rejects if the child ends first. */
  receive<T = unknown>(): Promise<T>;
  /** Kills the child with SIGKILL and waits for its end. */
  kill(): Promise<Exit>;
}

const main = require.resolve('warmshard');

// The compiler puts calls of `__name` around functions to keep their names.
const PRELUDE = `
const __name = (f) => f;
const waiting = [], inbox = [];
const inside = {
  get warmshard() { return require(${JSON.stringify(main)}); },
  fs: require('node:fs'),
  threads: require('node:worker_threads'),
  send: (message) => process.send?.({ message }),
  receive: () => inbox.length > 0 ? Promise.resolve(inbox.shift()) : new Promise((done) => waiting.push(done)),
  worker: (body, data) => new (require('node:worker_threads').Worker)(
    globalThis.PRELUDE + '\\n(' + body + ')(inside, require("node:worker_threads").workerData);',
    { eval: true, workerData: data },
  ),
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
  collect: async () => {
    for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise(setImmediate); }
  },
};
`;
const START = `
globalThis.PRELUDE = ${JSON.stringify(PRELUDE)};
process.on('message', ({ message }) => waiting.length > 0 ? waiting.shift()(message) : inbox.push(message));
process.channel?.unref();
const hold = setInterval(() => {}, 1 << 30);
Promise.resolve().then(() => BODY(inside, ARGS)).then(
  (result) => { clearInterval(hold); process.send?.({ result }); },
  (error) => { console.error(error); process.exit(70); },
);
`;

/** Starts a function in another process. */
export function startChild<A>(
  t: ExecutionContext,
  body: (inside: Inside, args: A) => unknown,
  args: A,
  options: ChildOptions = {},
): Child & { result: Promise<unknown> } {
  const source =
    PRELUDE + START.replace('BODY', () => `(${body})`).replace('ARGS', () => JSON.stringify(args));
  const [command, ...rest] = [
    ...(options.under ?? []),
    process.execPath,
    ...(options.nodeArgs ?? []),
    '-e',
    source,
  ];
  const child = spawn(command as string, rest, {
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const inbox: unknown[] = [];
  const waiting: { done: (message: unknown) => void; fail: (reason: Error) => void }[] = [];
  let ended = false;
  let settle: (result: unknown) => void = () => {};
  const result = new Promise<unknown>((done) => {
    settle = done;
  });
  child.on('message', (packet: { message?: unknown; result?: unknown }) => {
    if (!('message' in packet)) settle(packet.result);
    else if (waiting.length > 0) waiting.shift()?.done(packet.message);
    else inbox.push(packet.message);
  });
  const exit = new Promise<Exit>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => {
      ended = true;
      settle(undefined);
      for (const { fail: reject } of waiting)
        reject(new Error(`the child ended: ${code} ${signal}\n${stderr}`));
      done({ code, signal, stdout, stderr });
    });
  });
  t.teardown(() => {
    if (!ended) child.kill('SIGKILL');
  });
  return {
    process: child,
    exit,
    result,
    send: (message) => child.send({ message }),
    receive: <T>() =>
      new Promise<T>((done, fail) => {
        if (inbox.length > 0) done(inbox.shift() as T);
        else if (ended) fail(new Error(`the child ended\n${stderr}`));
        else waiting.push({ done: done as (message: unknown) => void, fail });
      }),
    kill: () => {
      child.kill('SIGKILL');
      return exit;
    },
  };
}

/** Runs a function in another process, which must exit with 0. Returns its result, after a round trip through JSON. */
export async function inChild<A, R>(
  t: ExecutionContext,
  body: (inside: Inside, args: A) => R | Promise<R>,
  args: A,
  options: ChildOptions = {},
): Promise<R> {
  const child = startChild(t, body, args, options);
  const { code, signal, stderr } = await child.exit;
  if (code !== 0 || signal !== null) t.fail(`the child ended with ${signal ?? code}:\n${stderr}`);
  return (await child.result) as R;
}
