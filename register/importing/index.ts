/**
 * All that a program needs of us which imports ES modules and asks for no CommonJS module that asks for others: Node.js'
 * own compile cache. A bundle of its own, for everything else takes ten times as long to load.
 */

import { beginning } from '../beginning.js';
import { defaultPath } from '../default-path.js';
import type { ModuleClass } from '../node-module.js';

const { getBuiltinModule, mkdirSync, statSync } = beginning;

/** Whether a folder is there, and this user's alone to write to. */
function isOwn(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.() && !(found.mode & 0o022);
}

/**
 * Switches on the compile cache, unless somebody has decided about it.
 *
 * @returns whether that is done, and the rest may wait
 */
export function importing(): boolean {
  const { env } = process;
  // Some of its members are there only once it was asked for.
  const { enableCompileCache, getCompileCacheDir } = (getBuiltinModule ?? require)(
    'node:module',
  ) as ModuleClass;
  if (enableCompileCache === undefined || env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE)
    return true;
  if (getCompileCacheDir?.()) return true;
  const shard = defaultPath();
  const folder = `${shard.slice(0, shard.lastIndexOf('/'))}/esm`;
  if (!isOwn(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return false;
  }
  enableCompileCache(folder);
  return true;
}
