import { type Handle, hot } from './handle.js';
import type { Validator } from './later/meta.js';
import { later } from './later.js';

const MAX_NSEC = 999_999_999;

/**
 * Writes the validator of a look-up where the addon reads it: here the state of a source, if it is as it should be.
 * What else a validator may be, and what is wrong with it, later/meta.ts knows.
 */
export function writeValidator(handle: Handle, validator: Validator): void {
  // Everything is read before anything is written: a getter may use the shard, and so this block.
  const { mtimeSec, mtimeNsec, size } = (validator ?? {}) as Extract<Validator, { mtimeSec: number }>;
  if (
    !Number.isSafeInteger(mtimeSec) ||
    !(Number.isInteger(mtimeNsec) && mtimeNsec >= 0 && mtimeNsec <= MAX_NSEC) ||
    !(size === undefined || (Number.isSafeInteger(size) && size >= 0)) ||
    validator instanceof Uint8Array
  )
    later().metaOf(handle).writeValidator(validator);
  else hot(handle).numbers.set([1, 0, mtimeSec, mtimeNsec, size ?? -1, 0]);
}
