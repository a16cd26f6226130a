/**
 * warmshard: a native cache of compiled artifacts for Node.js.
 *
 * @packageDocumentation
 */
export type { Codec, CodecName } from './facade/codec.js';
export { type Constant, constantsCodec } from './facade/constants.js';
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
export {
  AutoloadCache,
  type AutoloadCacheOptions,
  type AutoloadCacheStats,
} from './facade/stores/autoload-cache.js';
export { AutoloadShardWriter } from './facade/stores/autoload-writer.js';
export { defaultCachePath } from './facade/stores/default-path.js';
export { fileMtime } from './facade/stores/file-mtime.js';
export { DiskPipelineCache, type DiskPipelineOptions } from './facade/stores/pipeline/disk.js';
export {
  decodeArtifact,
  encodeArtifact,
  Fingerprint,
  fingerprint,
} from './facade/stores/pipeline/fingerprint.js';
export { LayeredPipelineCache, type LayeredPipelineOptions } from './facade/stores/pipeline/layered.js';
export { MemoryPipelineCache, type MemoryPipelineOptions } from './facade/stores/pipeline/memory.js';
export type { PipelineMetrics, PipelineStore } from './facade/stores/pipeline/metrics.js';
export {
  type RemoteMetrics,
  RemotePipelineCache,
  type RemotePipelineMetrics,
  type RemotePipelineOptions,
} from './facade/stores/pipeline/remote.js';
export { scriptCache } from './facade/stores/process-cache.js';
export {
  type SaveMeta,
  ScriptCache,
  type ScriptCacheOptions,
  type ScriptCacheStats,
  type ScriptInfo,
} from './facade/stores/script-cache.js';
export { userCacheFolder } from './facade/stores/user-cache.js';
export type { Entry } from './facade/values.js';
export type { Progress, WorkOptions } from './facade/work.js';
