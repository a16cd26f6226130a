// A misspelt option was not an error, because its type was `any`.

import { expectTypeOf } from 'expect-type';
import { type Codec, type CodecName, type Host, Shard, type ShardOptions, type Validator } from 'warmshard';

expectTypeOf<ShardOptions>().toEqualTypeOf<ShardOptions<Uint8Array>>();
expectTypeOf<keyof ShardOptions>().toEqualTypeOf<
  | 'host'
  | 'codec'
  | 'parts'
  | 'readOnly'
  | 'durability'
  | 'digest'
  | 'verify'
  | 'copy'
  | 'access'
  | 'maxBytes'
  | 'maxEntryBytes'
  | 'lockTimeout'
  | 'root'
  | 'trust'
  | 'autoCompact'
>();
// No option is required, and each may be undefined.
expectTypeOf<Record<never, never>>().toExtend<ShardOptions>();
expectTypeOf<{ [name in keyof ShardOptions]-?: undefined }>().toExtend<ShardOptions>();

type Option<name extends keyof ShardOptions> = Exclude<ShardOptions<string>[name], undefined>;
expectTypeOf<Option<'host'>>().toEqualTypeOf<Host>();
expectTypeOf<Option<'codec'>>().toEqualTypeOf<CodecName | Codec<string>>();
expectTypeOf<Option<'parts'>>().toEqualTypeOf<readonly string[]>();
expectTypeOf<Option<'readOnly'>>().toEqualTypeOf<boolean>();
expectTypeOf<Option<'durability'>>().toEqualTypeOf<'flush' | 'sync'>();
expectTypeOf<Option<'digest'>>().toEqualTypeOf<'xxh3' | 'blake3' | { key: Uint8Array }>();
expectTypeOf<Option<'verify'>>().toEqualTypeOf<'first' | 'always'>();
expectTypeOf<Option<'copy'>>().toEqualTypeOf<boolean>();
expectTypeOf<Option<'access'>>().toEqualTypeOf<'mmap' | 'read'>();
expectTypeOf<Option<'maxBytes'>>().toEqualTypeOf<number>();
expectTypeOf<Option<'maxEntryBytes'>>().toEqualTypeOf<number>();
expectTypeOf<Option<'lockTimeout'>>().toEqualTypeOf<number>();
expectTypeOf<Option<'root'>>().toEqualTypeOf<string>();
expectTypeOf<Option<'trust'>>().toEqualTypeOf<'private' | 'group' | 'system'>();
expectTypeOf<Option<'autoCompact'>>().toEqualTypeOf<boolean>();
expectTypeOf<CodecName>().toEqualTypeOf<'bytes' | 'utf8' | 'json' | 'structured' | 'constants'>();
expectTypeOf<Host>().toEqualTypeOf<{
  name: string;
  version: string;
  schema?: number | undefined;
  binary?: string | false | undefined;
}>();

// The codec decides the type of values.
const texts = Shard.open<string>('a.shard', { codec: 'utf8' });
expectTypeOf(texts).toEqualTypeOf<Shard<string>>();
expectTypeOf(texts.get('key')).toEqualTypeOf<string | undefined>();
expectTypeOf(texts.getMany([])).toEqualTypeOf<(string | undefined)[]>();
expectTypeOf([...texts.entries()]).toEqualTypeOf<[string, string][]>();
// @ts-expect-error: a value of this shard is a string
texts.put('key', new Uint8Array(1));

interface Manifest {
  files: string[];
}
declare const codec: Codec<Manifest>;
expectTypeOf(Shard.open('a.shard', { codec })).toEqualTypeOf<Shard<Manifest>>();
expectTypeOf(Shard.open('a.shard', { codec }).get('key')).toEqualTypeOf<Manifest | undefined>();
expectTypeOf(Shard.open<Manifest>('a.shard', { codec: 'json' }).get('key')).toEqualTypeOf<
  Manifest | undefined
>();
expectTypeOf<Codec<Manifest>['encode']>().toEqualTypeOf<(value: Manifest) => Uint8Array>();
expectTypeOf<Codec<Manifest>['decode']>().toEqualTypeOf<(bytes: Uint8Array) => Manifest>();

type Blobs = Record<'code' | 'map', Uint8Array>;
const parts = Shard.open<Blobs>('a.shard', { parts: ['code', 'map'] as const });
expectTypeOf(parts.get('key')).toEqualTypeOf<Blobs | undefined>();
// @ts-expect-error: the part "map" is missing
parts.put('key', { code: new Uint8Array(1) });

// @ts-expect-error: no such codec
Shard.open('a.shard', { codec: 'yaml' });
// @ts-expect-error: a codec for another type
Shard.open<string>('a.shard', { codec });
// @ts-expect-error: no such option
Shard.open('a.shard', { readonly: true });
// @ts-expect-error: a host has a version
Shard.open('a.shard', { host: { name: 'a' } });
// @ts-expect-error: a path is a string
Shard.open(new URL('file:///a.shard'));

// The three kinds of validators.
expectTypeOf<{ mtimeSec: number; mtimeNsec: number }>().toExtend<Validator>();
expectTypeOf<{ mtimeSec: number; mtimeNsec: number; size: number }>().toExtend<Validator>();
expectTypeOf<{ mtimeSec: number; mtimeNsec: number; size: undefined }>().toExtend<Validator>();
expectTypeOf<{ digest: Uint8Array }>().toExtend<Validator>();
expectTypeOf<Uint8Array>().toExtend<Validator>();
expectTypeOf<Buffer>().toExtend<Validator>();
expectTypeOf<{ mtimeSec: number }>().not.toExtend<Validator>();
expectTypeOf<{ mtimeMs: number }>().not.toExtend<Validator>();
expectTypeOf<string>().not.toExtend<Validator>();
