// The types of the typed stores, as a program sees them. `npm run test:types` compiles this file; it is never run.

import { expectTypeOf } from 'expect-type';
import {
  AutoloadCache,
  type AutoloadCacheStats,
  type AutoloadShardWriter,
  type Codec,
  type Constant,
  constantsCodec,
  defaultCachePath,
  fileMtime,
  type Host,
  ScriptCache,
  type ScriptCacheStats,
  Shard,
  scriptCache,
  userCacheFolder,
  type WorkOptions,
} from 'warmshard';

const host: Host = { name: 'tool', version: '1' };
const one = ScriptCache.open('a.shard', { host });
expectTypeOf(one).toEqualTypeOf<ScriptCache<'code'>>();
expectTypeOf(one.load('x.js')).toEqualTypeOf<Record<'code', Uint8Array> | undefined>();
expectTypeOf(one.save).toBeCallableWith('x.js', { code: new Uint8Array(1) });
expectTypeOf(one.save).toBeCallableWith('x.js', { code: Buffer.from('x') }, { expiresAt: 1 });
expectTypeOf(one.save('x.js', { code: new Uint8Array(1) })).toEqualTypeOf<boolean>();

const two = ScriptCache.open('a.shard', { host, parts: ['program', 'chunk'] });
expectTypeOf(two).toEqualTypeOf<ScriptCache<'program' | 'chunk'>>();
expectTypeOf(two.get('/x.js', 1, 2)).toEqualTypeOf<Record<'program' | 'chunk', Uint8Array> | undefined>();
expectTypeOf(two.put).returns.toEqualTypeOf<void>();
expectTypeOf(two.list()).toEqualTypeOf<
  { path: string; bytes: Record<'program' | 'chunk', number>; version: string; cachedAt: Date }[]
>();
expectTypeOf(two.stats()).toEqualTypeOf<ScriptCacheStats>();
expectTypeOf(two.evictStale()).toEqualTypeOf<number>();
expectTypeOf(two.evictStaleAsync).toEqualTypeOf<(options?: WorkOptions) => Promise<number>>();
expectTypeOf(two.path).toEqualTypeOf<string>();
expectTypeOf(two.closed).toEqualTypeOf<boolean>();
expectTypeOf(two).toExtend<Disposable>();
// @ts-expect-error: the part "chunk" is missing
two.save('x.js', { program: new Uint8Array(1) });
// @ts-expect-error: a host is needed
ScriptCache.open('a.shard', {});
// @ts-expect-error: options are needed, too
ScriptCache.open('a.shard');
// @ts-expect-error: `validate` is 'mtime' or 'content'
ScriptCache.open('a.shard', { host, validate: 'size' });
// @ts-expect-error: the constructor is private; use ScriptCache.open
new ScriptCache('a.shard', { host });

const functions = AutoloadCache.open('f.shard', { host });
expectTypeOf(functions.get('f')).toEqualTypeOf<Uint8Array | undefined>();
expectTypeOf(functions.putOne).toEqualTypeOf<(name: string, blob: Uint8Array) => void>();
expectTypeOf(functions.mergeIn).toEqualTypeOf<(entries: Iterable<[string, Uint8Array]>) => number>();
expectTypeOf(functions.replaceAll).toEqualTypeOf<(entries: Iterable<[string, Uint8Array]>) => number>();
expectTypeOf(functions.cachedNames()).toEqualTypeOf<Set<string>>();
expectTypeOf(functions.missing(new Set<string>())).toEqualTypeOf<string[]>();
expectTypeOf(functions.entryCount).toEqualTypeOf<number>();
expectTypeOf(functions.stats()).toEqualTypeOf<AutoloadCacheStats>();
expectTypeOf(functions.writer()).toEqualTypeOf<AutoloadShardWriter>();
expectTypeOf(
  functions.writer().add('f', new Uint8Array(1)).add('g', new Uint8Array(1)).commit(),
).toEqualTypeOf<number>();
expectTypeOf(functions).toExtend<Disposable>();
// @ts-expect-error: functions have no validators
functions.mergeIn([{ key: 'f', value: new Uint8Array(1), validator: new Uint8Array(1) }]);

expectTypeOf(fileMtime('x')).toEqualTypeOf<[sec: number, nsec: number] | undefined>();
expectTypeOf(defaultCachePath).toEqualTypeOf<(name?: string) => string>();
expectTypeOf(userCacheFolder).toEqualTypeOf<(app: string) => string>();
expectTypeOf(scriptCache()).toEqualTypeOf<ScriptCache<'code'> | undefined>();
expectTypeOf<Constant>().toEqualTypeOf<undefined | number | bigint | string>();
expectTypeOf(constantsCodec).toEqualTypeOf<Codec<Constant[]>>();
Shard.open<Constant[]>('c.shard', { codec: 'constants' });
