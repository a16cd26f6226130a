// Keyv accepted the store at run time, but the compiler did not.

import { expectTypeOf } from 'expect-type';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import { fingerprint, MemoryPipelineCache, type PipelineMetrics, type PipelineStore, Shard } from 'warmshard';
import { KeyvPipelineCache, KeyvShard, type KeyvShardOptions } from 'warmshard/keyv';

expectTypeOf<KeyvShard>().toExtend<KeyvStoreAdapter>();
new Keyv<string>({ store: new KeyvShard('/tmp/a.shard') });
new Keyv(new KeyvShard('/tmp/a.shard', { host: { name: 'a', version: '1' }, durability: 'sync' }));
new KeyvShard(Shard.open('/tmp/a.shard'));
expectTypeOf(new KeyvShard('a').shard).toEqualTypeOf<Shard>();
expectTypeOf(new KeyvShard('a').get<number>('key')).toEqualTypeOf<Promise<number | undefined>>();
expectTypeOf<'codec'>().not.toExtend<keyof KeyvShardOptions>();
// @ts-expect-error: Keyv's serialiser encodes values, so there is no option codec
new KeyvShard('/tmp/a.shard', { codec: 'json' });
// @ts-expect-error: the values of this shard are not bytes
new KeyvShard(Shard.open<string>('/tmp/a.shard', { codec: 'utf8' }));
// @ts-expect-error: a store is a path or a shard
new KeyvShard(1);

const keyv = new Keyv({ namespace: 'compiler' });
const cache = new KeyvPipelineCache(keyv, {
  local: new MemoryPipelineCache(),
  timeout: 1000,
  ttl: undefined,
});
new KeyvPipelineCache(new Map<string, string>());
new KeyvPipelineCache(new KeyvShard('/tmp/a.shard'));
expectTypeOf(cache.get(fingerprint('a'))).toEqualTypeOf<Promise<Uint8Array | undefined>>();
expectTypeOf(cache.flush()).toEqualTypeOf<Promise<void>>();
expectTypeOf(cache.metrics()).toExtend<PipelineMetrics>();
expectTypeOf(cache.metrics().writes.stored).toEqualTypeOf<number>();
// @ts-expect-error: its `get` returns a promise, so it cannot be a layer
expectTypeOf<KeyvPipelineCache>().toExtend<PipelineStore>();
// @ts-expect-error: a Keyv is required
new KeyvPipelineCache({});
