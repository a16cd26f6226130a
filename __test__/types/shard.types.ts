// The types as a CommonJS program sees them. `npm run test:types` compiles this file; it is never run.

import { expectTypeOf } from 'expect-type';
import {
  type CompactReport,
  type Durability,
  type Entry,
  type EntryInfo,
  type EntryMeta,
  Shard,
  type ShardStats,
  type Validator,
  type VerifyReport,
  type WorkOptions,
} from 'warmshard';

const bytes = Shard.open('a.shard');
expectTypeOf(bytes).toEqualTypeOf<Shard<Uint8Array>>();
expectTypeOf(Shard.open('a.shard', {})).toEqualTypeOf<Shard<Uint8Array>>();

expectTypeOf(bytes.path).toEqualTypeOf<string>();
expectTypeOf(bytes.readOnly).toEqualTypeOf<boolean>();
expectTypeOf(bytes.generation).toEqualTypeOf<number>();
expectTypeOf(bytes.size).toEqualTypeOf<number>();
// @ts-expect-error: the path is read-only
bytes.path = 'b.shard';
// @ts-expect-error: so is the size
bytes.size = 0;

expectTypeOf(bytes.get('key')).toEqualTypeOf<Uint8Array | undefined>();
expectTypeOf(bytes.get).parameters.toEqualTypeOf<[key: string, validator?: Validator | undefined]>();
expectTypeOf(bytes.getParts('key')).toEqualTypeOf<Record<string, Uint8Array> | undefined>();
expectTypeOf(bytes.getParts).parameters.toEqualTypeOf<[key: string, validator?: Validator | undefined]>();
expectTypeOf(bytes.getMany(['key'])).toEqualTypeOf<(Uint8Array | undefined)[]>();
expectTypeOf(bytes.getMany).parameters.toEqualTypeOf<[keys: readonly string[]]>();
expectTypeOf(bytes.has).toEqualTypeOf<(key: string, validator?: Validator) => boolean>();
expectTypeOf(bytes.info).toEqualTypeOf<(key: string) => EntryInfo | undefined>();

expectTypeOf(bytes.put).toEqualTypeOf<(key: string, value: Uint8Array, meta?: EntryMeta) => void>();
expectTypeOf(bytes.put).toBeCallableWith('key', new Uint8Array(1));
expectTypeOf(bytes.put).toBeCallableWith('key', Buffer.from('x'), { expiresAt: 1 });
expectTypeOf(bytes.delete).toEqualTypeOf<(key: string) => boolean>();
expectTypeOf(bytes.mergeIn).toEqualTypeOf<
  (entries: Iterable<[string, Uint8Array] | Entry<Uint8Array>>) => number
>();
expectTypeOf(bytes.replaceAll).toEqualTypeOf<
  (entries: Iterable<[string, Uint8Array] | Entry<Uint8Array>>) => number
>();
expectTypeOf(bytes.mergeIn).toBeCallableWith(new Map([['key', new Uint8Array(1)]]));
expectTypeOf(bytes.mergeIn).toBeCallableWith([{ key: 'key', value: new Uint8Array(1), expiresAt: 1 }]);
expectTypeOf(bytes.mergeIn).toBeCallableWith(bytes.entries());
expectTypeOf(bytes.clear).toEqualTypeOf<() => void>();

expectTypeOf(bytes.keys()).toEqualTypeOf<IterableIterator<string>>();
expectTypeOf(bytes.entries()).toEqualTypeOf<IterableIterator<[string, Uint8Array]>>();
expectTypeOf([...bytes]).toEqualTypeOf<[string, Uint8Array][]>();
expectTypeOf(bytes.list()).toEqualTypeOf<EntryInfo[]>();
expectTypeOf(bytes.evictStale()).toEqualTypeOf<number>();
expectTypeOf(bytes.compact()).toEqualTypeOf<CompactReport>();
expectTypeOf(bytes.verify()).toEqualTypeOf<VerifyReport>();
expectTypeOf(bytes.flush()).toEqualTypeOf<void>();
expectTypeOf(bytes.durability()).toEqualTypeOf<Durability>();
expectTypeOf(bytes.stats()).toEqualTypeOf<ShardStats>();
expectTypeOf(bytes.close()).toEqualTypeOf<void>();
expectTypeOf(bytes).toExtend<Disposable>();

type Batch = Iterable<[string, Uint8Array] | Entry<Uint8Array>>;
expectTypeOf(bytes.mergeInAsync).toEqualTypeOf<(entries: Batch, options?: WorkOptions) => Promise<number>>();
expectTypeOf(bytes.replaceAllAsync).toEqualTypeOf<
  (entries: Batch, options?: WorkOptions) => Promise<number>
>();
expectTypeOf(bytes.compactAsync).toEqualTypeOf<(options?: WorkOptions) => Promise<CompactReport>>();
expectTypeOf(bytes.verifyAsync).toEqualTypeOf<(options?: WorkOptions) => Promise<VerifyReport>>();
expectTypeOf(bytes.flushAsync).toEqualTypeOf<(options?: WorkOptions) => Promise<void>>();
expectTypeOf(bytes.evictStaleAsync).toEqualTypeOf<(options?: WorkOptions) => Promise<number>>();
expectTypeOf(bytes.verifyAsync).toBeCallableWith({
  signal: new AbortController().signal,
  onProgress: ({ done, total }) => {
    expectTypeOf(done).toEqualTypeOf<number>();
    expectTypeOf(total).toEqualTypeOf<number>();
  },
});

// @ts-expect-error: a key is a string
bytes.get(1);
// @ts-expect-error: a value of this shard is bytes
bytes.put('key', 'text');
// @ts-expect-error: an array of numbers is not bytes
bytes.put('key', [1, 2, 3]);
// @ts-expect-error: a batch consists of pairs or entries
bytes.mergeIn(['key']);
// @ts-expect-error: an entry has a value
bytes.mergeIn([{ key: 'key' }]);
// @ts-expect-error: the constructor is private; use Shard.open
new Shard('a.shard', {});
