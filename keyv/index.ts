/**
 * warmshard for Keyv: a shard as the store of a Keyv, and a Keyv as the second tier of a pipeline cache.
 *
 * Nothing of the package `keyv` is loaded: both sides meet in its interface only.
 *
 * @packageDocumentation
 */

export {
  type KeyvLike,
  KeyvPipelineCache,
  type KeyvPipelineMetrics,
  type KeyvPipelineOptions,
  type KeyvReadMetrics,
  type KeyvWriteMetrics,
} from './pipeline.js';
export { KeyvShard, type KeyvShardEntry, type KeyvShardOptions } from './shard.js';
