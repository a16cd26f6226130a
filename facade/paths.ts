import { refused } from './errors.js';
import { later } from './later.js';

/** The absolute form of the path of a file or folder that is to be opened; `name` is what the caller calls it. */
export function absolutePath(path: string, name = 'path'): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0') || !path.isWellFormed())
    throw later().wrongPath(name, path);
  try {
    return isResolved(path) ? path : (require('node:path') as typeof import('node:path')).resolve(path);
  } catch (error) {
    // The current directory was deleted.
    throw refused(error as NodeJS.ErrnoException, 'give an absolute path');
  }
}

/**
 * Whether `path.resolve` would leave a path as it is. That calls a function for each character, which Node.js 24 then
 * begins to optimise: this would take 100 us or more of a first `open`.
 */
function isResolved(path: string): boolean {
  if (path[0] !== '/') return false;
  for (let start = 1; ; ) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const length = end - start;
    if (length === 0 || (length === 1 && path[start] === '.')) return false;
    if (length === 2 && path[start] === '.' && path[start + 1] === '.') return false;
    if (slash === -1) return true;
    start = slash + 1;
  }
}
