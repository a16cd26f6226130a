// A fresh process that needs every script: with the shard it loads them, without it compiles them.

import { exercise, textDigest } from '../behaviour.mjs';
import { compile, openShard, validatorOf, wrapped } from '../script.mjs';

/** @param {import('../child.mjs').Task} task @param {(done: number) => void} onProgress */
export function run({ shard: path, scripts, cached, check, from }, onProgress) {
  const shard = cached ? openShard(path, { readOnly: true }) : undefined;
  const ms = { read: 0, look: 0, compile: 0 };
  /** @type {Map<string, import('node:vm').Script>} */
  const compiled = new Map();
  /** @type {Record<string, number>} */
  const each = {};
  /** @type {string[]} */
  const missing = [];
  /** @type {string[]} */
  const rejected = [];
  for (const [i, script] of scripts.entries()) {
    const begun = performance.now();
    const text = wrapped(script);
    const read = performance.now();
    const bytecode = shard?.get(script, validatorOf(script));
    const looked = performance.now();
    const result = compile(script, text, bytecode);
    const done = performance.now();
    ms.read += read - begun;
    ms.look += looked - read;
    ms.compile += done - looked;
    each[script] = done - read;
    if (shard && bytecode === undefined) missing.push(script);
    else if (shard && result.cachedDataRejected !== false) rejected.push(script);
    compiled.set(script, result);
    if (i % 50 === 0) onProgress(i);
  }
  const scriptOf = (/** @type {string} */ script) => {
    const found = compiled.get(script);
    if (found === undefined) throw new Error(`${script} was not compiled`);
    return found;
  };
  const behaviour = check && {
    texts: scripts.map((script) => textDigest(scriptOf(script))),
    ...exercise(from, new Set(scripts), scriptOf),
  };
  const stored = scripts.filter((script) => !missing.includes(script));
  const nsPerHit = shard && check ? timeHits(shard, stored) : undefined;
  shard?.close();
  return { ms, each, missing, rejected, behaviour, nsPerHit };
}

const ROUNDS = 15;
const PASSES = 20;

/**
 * A get alone: nanoseconds, the median of some rounds over all keys.
 *
 * @param {import('warmshard').Shard} shard
 * @param {readonly string[]} keys
 */
function timeHits(shard, keys) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    let bytes = 0;
    const started = performance.now();
    for (let pass = 0; pass < PASSES; pass++) for (const key of keys) bytes += shard.get(key)?.length ?? 0;
    const ms = performance.now() - started;
    if (bytes === 0) return Number.NaN;
    return (ms * 1e6) / (PASSES * keys.length);
  });
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}
