// One role in a process of its own. Its own entry point, and the way to start it.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { publish } from './roles/publish.mjs';
import { run } from './roles/run.mjs';

/**
 * @typedef {object} Task
 * @property {'publish' | 'run'} role
 * @property {string} shard path
 * @property {string[]} scripts absolute paths
 * @property {string} from a file from which packages are resolved
 * @property {boolean} [cached] load from the shard
 * @property {boolean} [check] also report behaviour, and the time of a hit
 *
 * @typedef {Awaited<ReturnType<typeof publish>>} Published
 * @typedef {ReturnType<typeof run>} Ran
 */

const SELF = fileURLToPath(import.meta.url);

/**
 * Runs a task in a fresh process.
 *
 * @template T
 * @param {Task} task
 * @param {(done: number) => void} onProgress
 * @returns {Promise<T>}
 */
export function inFreshProcess(task, onProgress) {
  return new Promise((resolve, reject) => {
    const child = fork(SELF, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
    child.on('message', (/** @type {{ done?: number, result?: T }} */ { done, result }) => {
      if (result !== undefined) resolve(result);
      else if (done !== undefined) onProgress(done);
    });
    child.on('error', reject);
    // Not 'exit', which may overtake the last message.
    child.on('disconnect', () => reject(new Error(`the process to ${task.role} ended without a result`)));
    child.send(task);
  });
}

if (process.argv[1] === SELF && process.send) {
  const tell = (/** @type {object} */ message) => process.send?.(message);
  process.once('message', async (/** @type {Task} */ task) => {
    const onProgress = (/** @type {number} */ done) => tell({ done });
    const result = await (task.role === 'publish' ? publish(task, onProgress) : run(task, onProgress));
    process.send?.({ result }, () => process.disconnect());
  });
}
