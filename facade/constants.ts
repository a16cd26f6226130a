import type { Codec } from './later/codec.js';
import { seldom } from './seldom.js';

/** What a constants pool holds. */
export type Constant = undefined | number | bigint | string;

/**
 * A constants pool as bytes: an array of `undefined`, numbers, bigints of 64 bits and strings, all of which come
 * back as they were: `-0`, `NaN` and lone surrogates too. Also known to `Shard` as the codec `'constants'`.
 *
 * Either side throws `WarmshardError` with `ERR_CODEC`: for a value of any other type, with its index, and for bytes
 * that are no constants pool, whatever they are.
 */
export const constantsCodec: Codec<Constant[]> = {
  encode: (constants) => seldom().constants.encode(constants),
  decode: (bytes) => seldom().constants.decode(bytes),
};
