// What an ES module's compiler sees: the same class.

import { expectTypeOf } from 'expect-type';
import { Shard } from 'warmshard';

expectTypeOf(Shard.open('a.shard').get('key')).toEqualTypeOf<Uint8Array | undefined>();
