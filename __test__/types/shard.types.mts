// The types as an ES module sees them: the same class as in CommonJS.

import { expectTypeOf } from 'expect-type';
import {
  type Codec,
  type ErrorCode,
  Shard,
  type ShardOptions,
  type Validator,
  WarmshardError,
} from 'warmshard';

expectTypeOf(Shard.open('a.shard').get('key')).toEqualTypeOf<Uint8Array | undefined>();
expectTypeOf(Shard.open<string>('a.shard', { codec: 'utf8' })).toEqualTypeOf<Shard<string>>();

declare const codec: Codec<{ a: number }>;
expectTypeOf(Shard.open('a.shard', { codec }).get('key')).toEqualTypeOf<{ a: number } | undefined>();
expectTypeOf<ShardOptions<string>['codec']>().toExtend<string | Codec<string> | undefined>();
expectTypeOf<Uint8Array>().toExtend<Validator>();

declare const caught: unknown;
if (caught instanceof WarmshardError) expectTypeOf(caught.code).toEqualTypeOf<ErrorCode>();
