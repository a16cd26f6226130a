import { isAbsolute, join } from 'node:path';
import { trustedVariable } from '../environment.js';
import { unlike } from '../later/checks.js';
import { isPlainName, userCacheFolder } from './user-cache.js';

/**
 * The default path of a cache: in `$WARMSHARD_HOME`, else in `$XDG_CACHE_HOME/warmshard`, else in `~/.cache/warmshard`
 * (`~/Library/Caches/warmshard` on macOS).
 *
 * @param name a file name without a folder. Default `scripts.shard`
 * @returns an absolute path; nothing is created
 * @throws WarmshardError `ERR_INVALID_ARG` if `WARMSHARD_HOME` is relative, or if none of the variables is set
 */
export function defaultCachePath(name = 'scripts.shard'): string {
  if (!isPlainName(name)) throw unlike('name must be a plain file name, without a folder', name);
  const home = trustedVariable('WARMSHARD_HOME');
  if (home === undefined) return join(userCacheFolder('warmshard'), name);
  if (!isAbsolute(home)) throw unlike('WARMSHARD_HOME must be an absolute path', home);
  return join(home, name);
}
