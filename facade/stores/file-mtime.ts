import { statSync } from 'node:fs';
import { unlike } from '../later/checks.js';

const SECOND = 1_000_000_000n;

/**
 * A file's modification time, as `ScriptCache.get` and `put` take it; symbolic links are followed.
 *
 * @returns whole seconds since the epoch, and nanoseconds of the second; `undefined` if there is no such file, or if it
 * cannot be examined
 * @throws WarmshardError `ERR_INVALID_ARG` if `path` is not a string
 */
export function fileMtime(path: string): [sec: number, nsec: number] | undefined {
  if (typeof path !== 'string') throw unlike('path must be a string', path);
  try {
    const { mtimeNs } = statSync(path, { bigint: true });
    const nsec = ((mtimeNs % SECOND) + SECOND) % SECOND;
    return [Number((mtimeNs - nsec) / SECOND), Number(nsec)];
  } catch {
    return undefined;
  }
}
