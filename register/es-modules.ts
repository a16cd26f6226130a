/**
 * What is done for ES modules. It has two parts, switched on only when an ES module is about to be loaded, because both
 * cost time.
 *
 * Only Node.js' own compile cache can give V8 the bytecode of ES modules: it gets a folder beside the shard. ES modules
 * in TypeScript go through `module.registerHooks`.
 */

import { optionAmong } from './aside.js';
import { beginning } from './beginning.js';
import { path as nodePath } from './builtins.js';
import { enableCompileCache } from './compile-cache.js';
import { isTyped, type Kit } from './kit.js';
import { late } from './late.js';
import { Module } from './node-module.js';
import { closedBecause, isReadOnly, path } from './state.js';

const { existsSync, readFileSync } = beginning;

let cached = false;
let hooked = false;

/**
 * Called when ES modules are about to be loaded.
 *
 * @param typed whether some of them may be TypeScript
 */
export function esModules(kit: Kit, typed: boolean): void {
  if (!cached && !isReadOnly() && closedBecause() === undefined) {
    cached = true;
    try {
      enableCompileCache(Module, path);
    } catch {}
  }
  if (!typed || hooked || Module.registerHooks === undefined) return;
  hooked = true;
  late<Kit, unknown>('esm', kit);
}

/** Whether the nearest manifest says that the files in a folder are ES modules. */
function isModuleFolder(folder: string): boolean {
  for (let above = folder; nodePath.basename(above) !== 'node_modules'; above = nodePath.dirname(above)) {
    const manifest = nodePath.join(above, 'package.json');
    if (existsSync(manifest)) return /"type"\s*:\s*"module"/.test(readFileSync(manifest, 'utf8'));
    if (above === nodePath.dirname(above)) break;
  }
  return false;
}

/** Checks whether the program that is about to start is an ES module, which no CommonJS hook sees. */
export function lookAtMain(kit: Kit): void {
  const [, main] = process.argv;
  if (main === undefined || Module.enableCompileCache === undefined) return;
  const extension = nodePath.extname(main);
  const typed = isTyped(main);
  try {
    if (extension === '.cjs') return;
    const own = extension === '.mjs' || extension === '.mts';
    if (own || (extension !== '.cts' && isModuleFolder(nodePath.dirname(main)))) esModules(kit, typed);
    // With this option Node.js' ES module loader loads the program, whatever it is.
    else if (typed && optionAmong(['--import']) !== undefined) esModules(kit, true);
  } catch {}
}
