/**
 * warmshard for Keyv: a shard as the store of a Keyv.
 *
 * Nothing of the package `keyv` is loaded: both sides meet in its interface only.
 *
 * @packageDocumentation
 */

export { KeyvShard, type KeyvShardEntry, type KeyvShardOptions } from './shard.js';
