// The process that compiles everything and publishes the bytecode. A script that does not compile is left out.

import { compile, openShard, validatorOf, wrapped } from '../script.mjs';

/** Entries of a batch: each is one publish, which others see as a whole. */
const BATCH = 500;

/** @param {import('../child.mjs').Task} task @param {(done: number) => void} onProgress */
export async function publish({ shard: path, scripts }, onProgress) {
  const shard = openShard(path);
  /** @type {import('warmshard').Entry<Uint8Array>[]} */
  let batch = [];
  /** @type {string[]} */
  const refused = [];
  const sums = { sourceBytes: 0, bytecodeBytes: 0, publishMs: 0 };
  const send = async () => {
    const started = performance.now();
    await shard.mergeInAsync(batch);
    sums.publishMs += performance.now() - started;
    batch = [];
  };
  for (const [i, script] of scripts.entries()) {
    // Looked at first: a source that changes while it is compiled must not match.
    const validator = validatorOf(script);
    try {
      const value = compile(script, wrapped(script)).createCachedData();
      batch.push({ key: script, value, validator });
      sums.sourceBytes += validator.size;
      sums.bytecodeBytes += value.length;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      refused.push(script);
    }
    if (batch.length === BATCH) await send();
    if (i % 50 === 0) onProgress(i);
  }
  await send();
  const started = performance.now();
  await shard.flushAsync();
  sums.publishMs += performance.now() - started;
  const { fileBytes, entries } = shard.stats();
  shard.close();
  return { ...sums, refused, fileBytes, entries };
}
