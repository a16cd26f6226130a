// What a CommonJS program's compiler sees. Compiled by `npm run test:types`, never run.

import { expectTypeOf } from 'expect-type';
import { Shard } from 'warmshard';

const bytes = Shard.open('a.shard');
expectTypeOf(bytes).toEqualTypeOf<Shard<Uint8Array>>();
expectTypeOf(bytes.get('key')).toEqualTypeOf<Uint8Array | undefined>();
expectTypeOf(bytes.put).toBeCallableWith('key', new Uint8Array(1));

// @ts-expect-error: a key is a string
bytes.get(1);
