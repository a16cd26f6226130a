import { isAbsolute, join } from 'node:path';
import { trustedVariable } from '../environment.js';
import { invalid } from '../errors.js';
import { unlike } from '../later/checks.js';

/** Whether a name is that of one file or folder, without a path. */
export function isPlainName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\\\0]/.test(name) &&
    name.isWellFormed()
  );
}

/**
 * The folder for an application's caches: below `$XDG_CACHE_HOME`, else `~/.cache` (`~/Library/Caches` on macOS). It is
 * not created.
 *
 * @param app the name of the folder, without a path
 * @throws WarmshardError `ERR_INVALID_ARG`
 */
export function userCacheFolder(app: string): string {
  if (!isPlainName(app)) throw unlike('app must be a plain name, without a path', app);
  const xdg = trustedVariable('XDG_CACHE_HOME');
  const home = trustedVariable('HOME');
  // The specification says that a relative path must be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, app);
  if (home === undefined || !isAbsolute(home))
    throw invalid(
      'there is no folder for caches: set XDG_CACHE_HOME or HOME to an absolute path, or give the path of a file',
    );
  return process.platform === 'darwin' ? join(home, 'Library', 'Caches', app) : join(home, '.cache', app);
}
