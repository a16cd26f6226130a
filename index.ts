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
export type { Entry } from './facade/values.js';
export type { Progress, WorkOptions } from './facade/work.js';
