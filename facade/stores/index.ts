// The typed stores. dist/index.cjs loads them when the first of them is used.
export {
  type ArtifactInput,
  type ArtifactMeta,
  type ArtifactStats,
  ArtifactStore,
  type ArtifactStoreOptions,
} from './artifact-store.js';
export {
  AutoloadCache,
  type AutoloadCacheOptions,
  type AutoloadCacheStats,
} from './autoload-cache.js';
export { AutoloadShardWriter } from './autoload-writer.js';
export { defaultCachePath } from './default-path.js';
export { fileMtime } from './file-mtime.js';
export { DiskPipelineCache, type DiskPipelineOptions } from './pipeline/disk.js';
export {
  decodeArtifact,
  encodeArtifact,
  Fingerprint,
  fingerprint,
} from './pipeline/fingerprint.js';
export { LayeredPipelineCache, type LayeredPipelineOptions } from './pipeline/layered.js';
export { MemoryPipelineCache, type MemoryPipelineOptions } from './pipeline/memory.js';
export type { PipelineMetrics, PipelineStore } from './pipeline/metrics.js';
export {
  type RemoteMetrics,
  RemotePipelineCache,
  type RemotePipelineMetrics,
  type RemotePipelineOptions,
} from './pipeline/remote.js';
export { scriptCache } from './process-cache.js';
export {
  type SaveMeta,
  ScriptCache,
  type ScriptCacheOptions,
  type ScriptCacheStats,
  type ScriptInfo,
} from './script-cache.js';
export { userCacheFolder } from './user-cache.js';
