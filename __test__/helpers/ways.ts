// The three ways in which bytes reach JavaScript: lent from a mapping, copied from one, or read from the file. What a
// program sees must not depend on the way.

import test, { type ExecutionContext } from 'ava';
import { Shard, type ShardOptions } from 'warmshard';
import { shardPath } from './folder.js';

export const WAYS = {
  lend: {},
  copy: { copy: true },
  read: { access: 'read' },
} as const satisfies Record<string, ShardOptions>;

export interface Way {
  name: keyof typeof WAYS;
  /** The options that choose the way. */
  options: { copy?: boolean; access?: 'read' };
  /** A path at which there is no file yet. */
  path: string;
  /** Opens the shard at the path; it is closed when the test ends. */
  open<V = Uint8Array>(options?: ShardOptions<V>): Shard<V>;
}

/** Runs a test once in each way. */
export function everyWay(title: string, body: (t: ExecutionContext, way: Way) => void | Promise<void>): void {
  for (const [name, options] of Object.entries(WAYS) as [Way['name'], Way['options']][])
    test(`${title} (${name})`, (t) => body(t, way(t, name, options)));
}

function way(t: ExecutionContext, name: Way['name'], options: Way['options']): Way {
  const path = shardPath(t);
  return {
    name,
    options,
    path,
    open: (more) => {
      const shard = Shard.open(path, { ...options, ...more });
      t.teardown(() => shard.close());
      return shard;
    },
  };
}
