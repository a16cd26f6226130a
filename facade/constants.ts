import type { Codec } from './later/codec.js';
import { seldom } from './seldom.js';

/** What a constants pool can hold. */
export type Constant = undefined | number | bigint | string;

/**
 * Encodes a constants pool: an array of `undefined`, numbers, 64-bit bigints and strings. All of them come back as they
 * were, including `-0`, `NaN` and lone surrogates. `Shard` also accepts it by the name `'constants'`.
 *
 * Both functions throw `WarmshardError` with `ERR_CODEC`: for a value of any other type, naming its index, and for any
 * bytes that are not a constants pool.
 */
export const constantsCodec: Codec<Constant[]> = {
  encode: (constants) => seldom().constants.encode(constants),
  decode: (bytes) => seldom().constants.decode(bytes),
};
