import { hasOwnRights } from '../facade/environment.js';
import { beginning } from './beginning.js';

/**
 * Where this user lives: a relative folder, or none, would put the shard where the program happens to run, or into the
 * root folder. In a container there may be neither a variable nor an entry for the user.
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

/** The shard that programs share. Throws where there is no place for it. */
export function defaultPath(): string {
  // Else whoever started the program would choose what it runs.
  const believed = hasOwnRights() ? beginning : undefined;
  const [own, cache, userHome] = [believed?.home, believed?.userCache, believed?.userHome];
  if (own) return `${own}/programs.shard`;
  if (cache?.startsWith('/')) return `${cache}/warmshard/programs.shard`;
  const folder = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  return `${userFolder(userHome)}/${folder}/warmshard/programs.shard`;
}
