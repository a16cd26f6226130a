/**
 * warmshard: a native cache of compiled artifacts for Node.js.
 *
 * @packageDocumentation
 */

export { type Constant, constantsCodec } from './facade/constants.js';
export { type ErrorCode, WarmshardError } from './facade/errors.js';
export type { Codec, CodecName } from './facade/later/codec.js';
export type { EntryMeta, Validator } from './facade/later/meta.js';
export type { Entry } from './facade/later/values.js';
export type { Progress, WorkOptions } from './facade/later/work.js';
export type { Host, ShardOptions } from './facade/options.js';
export type {
  CompactReport,
  Durability,
  EntryInfo,
  Fault,
  ShardStats,
  VerifyReport,
} from './facade/reports.js';
export { Shard } from './facade/shard.js';
export * from './facade/stores/index.js';
