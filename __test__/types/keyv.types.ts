// Keyv took the store at run time, and the compiler would not.

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
expectTypeOf<keyof KeyvShardOptions>().not.toEqualTypeOf<'codec'>();
// @ts-expect-error values become bytes as Keyv's serialiser has it
new KeyvShard('/tmp/a.shard', { codec: 'json' });
// @ts-expect-error its values are no bytes
new KeyvShard(Shard.open<string>('/tmp/a.shard', { codec: 'utf8' }));
// @ts-expect-error there is no such store
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
// @ts-expect-error it takes its time, so it is no layer
expectTypeOf<KeyvPipelineCache>().toExtend<PipelineStore>();
// @ts-expect-error there is nothing to ask
new KeyvPipelineCache({});
