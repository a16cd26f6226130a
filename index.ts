/**
 * warmshard: a native cache of compiled artifacts for Node.js.
 *
 * @packageDocumentation
 */
export type { Codec, CodecName } from './facade/codec.js';
export { type ErrorCode, WarmshardError } from './facade/errors.js';
export type { EntryMeta, Validator } from './facade/meta.js';
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
export {
  type ArtifactInput,
  type ArtifactMeta,
  type ArtifactStats,
  ArtifactStore,
  type ArtifactStoreOptions,
} from './facade/stores/artifact-store.js';
export type { Entry } from './facade/values.js';
export type { Progress, WorkOptions } from './facade/work.js';
