import { closeSync, openSync, readSync } from 'node:fs';
import type { Shard, ShardOptions } from '../index.js';

type Warmshard = typeof import('../index.js');

/** Offset and length of the kind in a file's header, in bytes: see docs/format.md. */
const KIND_AT = 64;
const KIND_BYTES = 16;

/** The store that a file belongs to, according to its header; `undefined` if the file is too short for one. */
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

/** Opens a file of any store for reading. */
export function openAny({ Shard }: Warmshard, path: string): { shard: Shard; kind: string | undefined } {
  // Refuses everything that is not a regular file. Opening a FIFO, for example, would wait for a writer.
  Shard.open(path, { readOnly: true }).close();
  const kind = kindOf(path);
  const host = { name: 'warmshard', version: '1', binary: false };
  const options = { readOnly: true, autoCompact: false, host, [Symbol.for('warmshard.kind')]: kind };
  return { shard: Shard.open(path, options as ShardOptions), kind };
}
