/** Node.js' own compile cache, the only way to give V8 the bytecode of ES modules. */

import { beginning } from './beginning.js';
import type { ModuleClass } from './node-module.js';

const { mkdirSync, statSync } = beginning;

/** Whether a folder exists that only this user can write to. Others who could would decide what this process runs. */
function isOwn(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.() && !(found.mode & 0o022);
}

/**
 * Switches it on in the folder `esm` beside a shard, unless the user or the program has decided about it.
 *
 * @param shard returns the shard's path; called only if the path is needed
 * @returns `false` if the folder cannot be trusted, else `true`
 */
export function enableCompileCache(
  { enableCompileCache: enable, getCompileCacheDir }: ModuleClass,
  shard: () => string,
): boolean {
  const { env } = process;
  if (enable === undefined || env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE) return true;
  if (getCompileCacheDir?.()) return true;
  const path = shard();
  const folder = `${path.slice(0, path.lastIndexOf('/'))}/esm`;
  if (!isOwn(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return false;
  }
  enable(folder);
  return true;
}
