import { resolve } from 'node:path';
import { invalid } from './errors.js';

/** The absolute form of the path of a file or folder that is to be opened; `name` is what the caller calls it. */
export function absolutePath(path: string, name = 'path'): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0') || !path.isWellFormed())
    throw invalid(`${name} must be a non-empty string without zero bytes or lone surrogates`);
  return resolve(path);
}
