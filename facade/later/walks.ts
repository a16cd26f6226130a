import type { Handle } from '../handle.js';
import { type NativeCursor, table } from '../native.js';

// Walks over the entries of a shard.

/** Keys that a walk fetches at a time. */
const CURSOR_KEYS = 1024;

/** The keys of this producer's entries as of this call, oldest first. */
export function keysOf(handle: Handle): IterableIterator<string> {
  return walk(table('shard').cursor(handle.native));
}

function* walk(cursor: NativeCursor): IterableIterator<string> {
  const { nextKeys } = table('shard');
  for (let keys = nextKeys(cursor, CURSOR_KEYS); keys.length > 0; keys = nextKeys(cursor, CURSOR_KEYS))
    yield* keys;
}

/** Those of `keys` that have a value, with their values. */
export function* withValues<V>(
  keys: Iterable<string>,
  shard: { get(key: string): V | undefined },
): IterableIterator<[string, V]> {
  for (const key of keys) {
    const value = shard.get(key);
    if (value !== undefined) yield [key, value];
  }
}
