import { isAbsolute, join } from 'node:path';
import { trustedVariable } from '../environment.js';
import { unlike } from '../later/checks.js';
import { isPlainName, userCacheFolder } from './user-cache.js';

/**
 * Where a cache lies unless somebody says otherwise: in `$WARMSHARD_HOME`, else in `warmshard` below
 * `$XDG_CACHE_HOME`, else in `~/.cache/warmshard` (`~/Library/Caches/warmshard` on macOS).
 *
 * @param name the file's, a plain one. Default `scripts.shard`
 * @returns an absolute path; nothing is made there
 * @throws WarmshardError `ERR_INVALID_ARG` where `WARMSHARD_HOME` is relative, or none of them is set
 */
export function defaultCachePath(name = 'scripts.shard'): string {
  if (!isPlainName(name)) throw unlike('name must be a plain file name, without a folder', name);
  const home = trustedVariable('WARMSHARD_HOME');
  if (home === undefined) return join(userCacheFolder('warmshard'), name);
  if (!isAbsolute(home)) throw unlike('WARMSHARD_HOME must be an absolute path', home);
  return join(home, name);
}
