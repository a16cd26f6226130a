/** Node.js' own compile cache: nothing else can give V8 the bytecode of ES modules. */

import { beginning } from './beginning.js';
import type { ModuleClass } from './node-module.js';

const { mkdirSync, statSync } = beginning;

/** Whether a folder is there, and this user's alone to write to: who else could would choose what this process runs. */
function isOwn(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.() && !(found.mode & 0o022);
}

/**
 * Switches it on in the folder `esm` beside a shard, unless somebody has decided about it.
 *
 * @param shard gives the shard's path, if it is needed
 * @returns whether that is settled; else the folder is not to be trusted
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
