import { hasOwnRights } from '../facade/environment.js';
import { beginning } from './beginning.js';

/** The shard that programs share. */
export function defaultPath(): string {
  // Else whoever started the program would choose what it runs.
  const believed = hasOwnRights() ? beginning : undefined;
  const [own, cache, userHome] = [believed?.home, believed?.userCache, believed?.userHome];
  if (own) return `${own}/programs.shard`;
  if (cache?.startsWith('/')) return `${cache}/warmshard/programs.shard`;
  const folder = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  const home = userHome ?? (require('node:os') as typeof import('node:os')).userInfo().homedir;
  return `${home}/${folder}/warmshard/programs.shard`;
}
