/**
 * All that a program needs of us which imports ES modules and asks for no CommonJS module that asks for others: Node.js'
 * own compile cache. A bundle of its own, for everything else takes ten times as long to load.
 */

import { beginning } from '../beginning.js';
import { enableCompileCache } from '../compile-cache.js';
import { defaultPath } from '../default-path.js';
import type { ModuleClass } from '../node-module.js';

/** Switches it on. Gives whether that is settled, and the rest may wait. */
export function importing(): boolean {
  // Some members of `Module` are there only once `node:module` was asked for.
  const module = (beginning.getBuiltinModule ?? require)('node:module') as ModuleClass;
  return enableCompileCache(module, defaultPath);
}
