// What every role does alike: read a source, compile it, and name it in the shard.

import { readFileSync, statSync } from 'node:fs';
import Module from 'node:module';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { Shard } from 'warmshard';

/** V8 refuses bytecode of another version or with other flags; as part of the host it is not even offered. */
const HOST = {
  name: 'warmshard-demo',
  version: `${process.versions.v8} ${cachedDataVersionTag().toString(16)}`,
};

/** @param {string} path @param {import('warmshard').ShardOptions} [options] */
export function openShard(path, options = {}) {
  return Shard.open(path, { host: HOST, ...options });
}

/** The text that is compiled: without byte order mark and `#!` line, in the CommonJS wrapper. @param {string} path */
export function wrapped(path) {
  return Module.wrap(
    readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .replace(/^#!.*/, ''),
  );
}

/** @param {string} path @param {string} text @param {Uint8Array} [bytecode] */
export function compile(path, text, bytecode) {
  return new Script(text, { filename: path, ...(bytecode && { cachedData: bytecode }) });
}

/** What must be equal for the bytecode to be used. @param {string} path */
export function validatorOf(path) {
  const { mtimeNs, size } = statSync(path, { bigint: true });
  return {
    mtimeSec: Number(mtimeNs / 1_000_000_000n),
    mtimeNsec: Number(mtimeNs % 1_000_000_000n),
    size: Number(size),
  };
}
