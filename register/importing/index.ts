/**
 * Node.js' own compile cache: all that a program needs that imports ES modules, but no CommonJS modules that request
 * others. A separate bundle, because loading everything else takes ten times as long.
 */

import { beginning } from '../beginning.js';
import { enableCompileCache } from '../compile-cache.js';
import { defaultPath } from '../default-path.js';
import type { ModuleClass } from '../node-module.js';

/** Switches it on. Returns whether that is settled, so that the rest can wait. */
export function importing(): boolean {
  // Some members of `Module` exist only once `node:module` has been required.
  const module = (beginning.getBuiltinModule ?? require)('node:module') as ModuleClass;
  return enableCompileCache(module, defaultPath);
}
