/** The path of the default shard. */

import { hasOwnRights } from '../facade/environment.js';
import { beginning } from './beginning.js';

/**
 * The user's home folder. A relative or empty one is not used, because the shard would be wherever the program happens to
 * run, or in the root folder. A container may have neither the variable nor an entry in `passwd`.
 */
function userFolder(given: string | undefined): string {
  if (given?.startsWith('/')) return given;
  let home: string | undefined;
  try {
    home = (require('node:os') as typeof import('node:os')).userInfo().homedir;
  } catch {}
  if (!home?.startsWith('/'))
    throw new Error('there is no folder for the shard: set WARMSHARD_HOME, XDG_CACHE_HOME or HOME');
  return home;
}

/** The path of the shard that all programs share. Throws if there is no place for it. */
export function defaultPath(): string {
  // Otherwise any user could choose what a setuid program runs.
  const believed = hasOwnRights() ? beginning : undefined;
  const [own, cache, userHome] = [believed?.home, believed?.userCache, believed?.userHome];
  if (own) return `${own}/programs.shard`;
  if (cache?.startsWith('/')) return `${cache}/warmshard/programs.shard`;
  const folder = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  return `${userFolder(userHome)}/${folder}/warmshard/programs.shard`;
}
