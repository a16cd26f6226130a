import { isAbsolute, join } from 'node:path';
import { invalid, WarmshardError } from '../errors.js';

/**
 * The folder in which a user's caches of `app` belong: `$XDG_CACHE_HOME/<app>`, or else `~/.cache/<app>`, on macOS
 * `~/Library/Caches/<app>`. It is not made here. As the XDG rules say, a path that is not absolute counts as not set.
 *
 * @throws WarmshardError `ERR_INVALID_ARG` where `app` is not a plain name, or neither variable tells a folder
 */
export function userCacheFolder(app: string): string {
  if (!isPlainName(app))
    throw invalid('app must be a plain name: not empty, no slash or zero byte, not . or ..');
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
  if (cache !== undefined && isAbsolute(cache)) return join(cache, app);
  if (home !== undefined && isAbsolute(home))
    return process.platform === 'darwin' ? join(home, 'Library', 'Caches', app) : join(home, '.cache', app);
  throw new WarmshardError(
    'ERR_INVALID_ARG',
    `there is no cache folder for ${app}: neither XDG_CACHE_HOME nor HOME is an absolute path. ` +
      'Set one of them, or give a path.',
  );
}

/** Whether a name is that of one file or folder, without a path. */
export function isPlainName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\0]/.test(name) &&
    name.isWellFormed()
  );
}
