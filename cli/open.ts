import { closeSync, openSync, readSync } from 'node:fs';
import type { Shard, ShardOptions } from '../index.js';

type Warmshard = typeof import('../index.js');

/** Where a file's kind stands, and how long it is at most: docs/format.md. */
const KIND_AT = 64;
const KIND_BYTES = 16;

/** The store that a file says it belongs to; `undefined` where it is too short to say anything. */
function kindOf(path: string): string | undefined {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(KIND_BYTES);
    const read = readSync(file, bytes, 0, KIND_BYTES, KIND_AT);
    return read === KIND_BYTES ? bytes.toString('latin1').replace(/\0+$/, '') : undefined;
  } finally {
    closeSync(file);
  }
}

/** Opens a file for reading, whichever store it belongs to. */
export function openAny({ Shard }: Warmshard, path: string): { shard: Shard; kind: string | undefined } {
  // Refuses what is no regular file, before anything waits for it.
  Shard.open(path, { readOnly: true }).close();
  const kind = kindOf(path);
  const host = { name: 'warmshard', version: '1', binary: false };
  const options = { readOnly: true, autoCompact: false, host, [Symbol.for('warmshard.kind')]: kind };
  return { shard: Shard.open(path, options as ShardOptions), kind };
}
