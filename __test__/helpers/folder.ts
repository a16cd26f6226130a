// Temporary folders that are deleted when their test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

export function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'warmshard-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A path for a shard in a new folder; there is no file yet. */
export function shardPath(t: ExecutionContext, name = 'cache.shard'): string {
  return join(folder(t), name);
}
