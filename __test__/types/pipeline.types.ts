// A store that a program had written itself compiled, and then failed as a layer at run time.

import { expectTypeOf } from 'expect-type';
import {
  DiskPipelineCache,
  type DiskPipelineOptions,
  type Durability,
  decodeArtifact,
  encodeArtifact,
  type Fingerprint,
  fingerprint,
  LayeredPipelineCache,
  MemoryPipelineCache,
  type PipelineMetrics,
  type PipelineStore,
  type RemoteMetrics,
  RemotePipelineCache,
} from 'warmshard';

expectTypeOf<PipelineMetrics>().toEqualTypeOf<
  Record<
    | 'lookups'
    | 'hits'
    | 'misses'
    | 'puts'
    | 'rejectedPuts'
    | 'evictions'
    | 'evictedBytes'
    | 'flushes'
    | 'flushErrors'
    | 'cachedBytes'
    | 'entries'
    | 'hitRatePpm',
    number
  >
>();
expectTypeOf<DiskPipelineCache>().toExtend<PipelineStore>();
expectTypeOf<MemoryPipelineCache>().toExtend<PipelineStore>();
expectTypeOf<LayeredPipelineCache>().toExtend<PipelineStore>();
expectTypeOf<Fingerprint>().toExtend<Uint8Array>();
expectTypeOf(fingerprint).parameters.toEqualTypeOf<(string | Uint8Array)[]>();
expectTypeOf(encodeArtifact).returns.toEqualTypeOf<Uint8Array>();
expectTypeOf(decodeArtifact).returns.toEqualTypeOf<Uint8Array | undefined>();

const disk = DiskPipelineCache.open('/x', { maxBytes: 1, access: 'read', trust: 'group', copy: true });
expectTypeOf(disk.get(fingerprint('a'))).toEqualTypeOf<Uint8Array | undefined>();
expectTypeOf(disk.get(new Uint8Array(32))).toEqualTypeOf<Uint8Array | undefined>();
expectTypeOf(disk.durabilityReport()).toEqualTypeOf<Durability>();
expectTypeOf(disk.flushAsync()).toEqualTypeOf<Promise<void>>();
expectTypeOf(DiskPipelineCache.inUserCache).toBeCallableWith('app', {} as DiskPipelineOptions);

const memory = new MemoryPipelineCache({ maxEntries: 1, maxBytes: undefined });
new LayeredPipelineCache([memory, disk] as const, { write: 'all' });
new LayeredPipelineCache(memory, disk);
// @ts-expect-error: options need an array of layers
new LayeredPipelineCache(memory, { write: 'all' });

const remote = new RemotePipelineCache(new URL('https://x'), { local: memory, fetch: globalThis.fetch });
expectTypeOf(remote.get(fingerprint('a'))).toEqualTypeOf<Promise<Uint8Array | undefined>>();
expectTypeOf(remote.metrics().remote).toEqualTypeOf<RemoteMetrics>();
// @ts-expect-error: its `get` returns a promise, so it cannot be a layer
new LayeredPipelineCache(remote);
// @ts-expect-error: a string is not a fingerprint
disk.get('a');
