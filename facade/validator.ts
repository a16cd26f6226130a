import { type Handle, hot } from './handle.js';
import type { Validator } from './later/meta.js';
import { later } from './later.js';
import type { HotCalls } from './native.js';

/** In the metadata block: the kind of a validator that is the state of a source; see later/meta.ts. */
const MTIME = 1;
const MAX_NSEC = 999_999_999;

type Source = Extract<Validator, { mtimeSec: number }>;

/** Whether this can be a modification time. */
export const isTime = (seconds: number, nanoseconds: number): boolean =>
  Number.isSafeInteger(seconds) &&
  Number.isInteger(nanoseconds) &&
  nanoseconds >= 0 &&
  nanoseconds <= MAX_NSEC;

/** Writes the state of a source into the metadata block, without an expiry. If it is wrong, it only returns `false`. */
export function writeSource(block: Float64Array, source: Source): boolean {
  // Everything is read before anything is written: a getter may use the shard, and so this block.
  const { mtimeSec, mtimeNsec, size } = source;
  if (!isTime(mtimeSec, mtimeNsec)) return false;
  if (!(size === undefined || (Number.isSafeInteger(size) && size >= 0))) return false;
  block[0] = MTIME;
  block[1] = 0;
  block[2] = mtimeSec;
  block[3] = mtimeNsec;
  block[4] = size ?? -1;
  block[5] = 0;
  return true;
}

/**
 * Writes the validator of a look-up into the metadata block, and returns the calls that read it. Here only the state of a
 * source is written, if it is right. For other validators, and for what is wrong, later/meta.ts does it.
 */
export function writeValidator(handle: Handle, validator: Validator): HotCalls {
  const calls = hot(handle);
  if (validator instanceof Uint8Array || !writeSource(calls.numbers, (validator ?? {}) as Source))
    later().metaOf(handle).writeValidator(validator);
  return calls;
}
