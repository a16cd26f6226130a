// A folder of its own for each test, gone with the test.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

export function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'warmshard-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Where a shard may be made. */
export function shardPath(t: ExecutionContext, name = 'cache.shard'): string {
  return join(folder(t), name);
}
