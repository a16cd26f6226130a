import { WarmshardError } from '../errors.js';
import type { Handle } from '../handle.js';
import { table } from '../native.js';
import { type Entry, valuesOf } from './values.js';
import { runWork, type WorkOptions } from './work.js';

// Changes of many entries at once, and work off the event loop.

type Entries<V> = Iterable<[string, V] | Entry<V>>;

/** The result of a change that changes nothing. Throws if changes are not allowed. */
export function requireWritable<T>({ native, path, readOnly }: Handle, result: T): T {
  // Throws if the shard is closed.
  table('shard').size(native);
  if (readOnly)
    throw new WarmshardError(
      'ERR_READ_ONLY',
      `${path} was opened with readOnly; open it without to change it`,
      undefined,
      undefined,
      path,
    );
  return result;
}

/**
 * How many entries were written. If the thread is being ended, the addon cannot throw and returns `undefined`; then this
 * throws, because a program that writes in a loop would go on for ever otherwise.
 */
export function written(count: number | undefined): number {
  if (count === undefined)
    throw new WarmshardError('ERR_ABORTED', 'the thread is being ended; nothing of the batch was published');
  return count;
}

/** `Shard.mergeIn`, or `replaceAll`. */
export function writeMany<V>(handle: Handle, entries: Entries<V>, replace: boolean): number {
  const batch = valuesOf<V>(handle).collect(entries);
  if (batch.count === 0 && !replace) return requireWritable(handle, 0);
  return written(table('shard').writeMany(handle.native, batch, replace));
}

/** The same off the event loop. */
export async function writeManyAsync<V>(
  handle: Handle,
  entries: Entries<V>,
  replace: boolean,
  options: WorkOptions | undefined,
): Promise<number> {
  // The entries are collected before this returns, but not for work that has been aborted already.
  return runWork(options, async (job) => {
    const batch = valuesOf<V>(handle).collect(entries);
    if (batch.count === 0 && !replace) return requireWritable(handle, 0);
    return table('shard').writeManyAsync(handle.native, batch, replace, job);
  });
}

/** Work on a shard that the addon does off the event loop, by the name of the addon's function. */
export function workOn<T>(
  { native }: Handle,
  name: 'compactAsync' | 'verifyAsync' | 'flushAsync' | 'evictStaleAsync',
  options: WorkOptions | undefined,
): Promise<T> {
  return runWork(options, (job) => table('shard')[name](native, job) as Promise<T>);
}
