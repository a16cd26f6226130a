// Worker threads of one process that read the same store at the same time. There is no row for a Map, because threads
// cannot share one.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { compete, prepare } from '../lib/contenders.mjs';
import { label } from '../lib/data.mjs';

const NAMES = [
  'floor',
  'warmshard',
  'lmdb getBinaryFast',
  'better-sqlite3',
  'node:sqlite',
  'one file per entry',
];

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { main: shape, readers } = context.sizes;
  await prepare(context, context.wanted(NAMES), shape);
  context.progress('worker threads');
  const { results } = await compete(context, 'workers', context.entrants(NAMES, shape, { readers }), {
    warmups: 1,
  });
  for (const count of readers)
    context.add(
      `${count} workers`,
      `hit with ${count} worker ${count > 1 ? 'threads' : 'thread'} at once, ${label(shape)}`,
      'ns',
      results[`${count}`],
    );
}

/** @param {{ peer: string, shape: import('../lib/data.mjs').Shape, root: string, ms: number, readers: number[] }} spec */
export async function inChild(spec) {
  const workerData = { ...spec, ms: spec.ms * 3 };
  const file = new URL('../worker.mjs', import.meta.url);
  const workers = Array.from({ length: Math.max(...spec.readers) }, () => new Worker(file, { workerData }));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const tasks = spec.readers.map((count) => {
    const round = async () => {
      const figures = await Promise.all(
        workers.slice(0, count).map((worker) => {
          worker.postMessage('read');
          return once(worker, 'message');
        }),
      );
      return figures.reduce((sum, [ns]) => sum + ns, 0) / count;
    };
    return [`${count}`, async () => round];
  });
  const close = () =>
    Promise.all(
      workers.map((worker) => {
        worker.postMessage('end');
        return once(worker, 'exit');
      }),
    );
  return { tasks: Object.fromEntries(tasks), close };
}
