/**
 * Where requests lead: told to the loader before it looks.
 *
 * `Module._resolveLookupPaths` is the first thing that it calls for a request. If the answer is known, `Module._findPath`,
 * which it calls next, becomes a function that gives it.
 */

import { beginning } from './beginning.js';
import { isTyped, type Kit, TYPED_REQUEST } from './kit.js';
import { type LoadedModule, Module, type ModuleClass } from './node-module.js';
import { counts, giveUp, isReadOnly, program } from './state.js';

const { apply } = Reflect;
const { findPath, nodeModulePaths, lookupPaths } = beginning;

/** What the loader was asked for. */
interface Asked {
  request: string;
  parent: LoadedModule | null | undefined;
  paths: unknown;
  answer: string | undefined;
}

/** The module that the loader is about to load, as far as its last request tells. */
let asked: Asked = {
  request: '',
  parent: undefined,
  paths: undefined,
  answer: undefined,
};

/** The module that is being loaded and does not run yet, as far as the last request tells. */
export function loading(executing: symbol | undefined): (LoadedModule & { filename: string }) | undefined {
  const { request, parent } = asked;
  let module = parent?.children?.[parent.children.length - 1];
  if (parent === null || parent === undefined) {
    // The program itself is asked for by whatever name, and what an ES module imports by its own.
    module = process.mainModule as unknown as LoadedModule | undefined;
    if (module === undefined || module.loaded || (executing && module[executing]))
      module = Module._cache[request];
  }
  if (module === undefined || module.loaded || module.filename === null) return undefined;
  return executing && module[executing] ? undefined : (module as LoadedModule & { filename: string });
}

/** What decides, beside the file system, where a request leads: its text, and the extensions that are tried. */
export function identity(request: string): string {
  const extensions = Object.keys(Module._extensions);
  const [first, second, third] = extensions;
  if (extensions.length === 3 && first === '.js' && second === '.json' && third === '.node') return request;
  return `${request}\0${extensions.join()}`;
}

/**
 * Gives the answer that is known, and makes way: it stands in the place of Node.js' own only then, for V8 names that
 * one by its place.
 */
const knownPath: typeof findPath = function (this: unknown, request, paths, ...more) {
  if (Module._findPath === knownPath) Module._findPath = findPath;
  const { answer } = asked;
  if (answer !== undefined && request === asked.request && paths === asked.paths) return answer;
  return apply(findPath, this, [request, paths, ...more]) as string | false;
};

/** Set while Node.js is asked once more for a request that it has looked for. */
let again: { paths: string[] | null } | undefined;

export function resolveAgain(request: string, parent: LoadedModule) {
  again = { paths: null };
  try {
    Module._findPath = findPath;
    return { real: Module._resolveFilename(request, parent, false), paths: again.paths };
  } finally {
    again = undefined;
  }
}

/**
 * What stands in for `Module._resolveLookupPaths`: tells the loader where a request leads before it looks.
 *
 * @param typedOnly whether only what TypeScript files ask for is ours
 * @param next told of each request
 */
export function lookupOf(kit: Kit, typedOnly: boolean, next: () => void): ModuleClass['_resolveLookupPaths'] {
  let unsettled = false;
  const settled = Promise.resolve();
  return (request, parent) => {
    const paths = lookupPaths(request, parent);
    if (again !== undefined) {
      again.paths = paths;
      return paths;
    }
    let answer: string | undefined;
    const folder = parent?.path;
    const typed = isTyped(parent?.filename ?? '');
    if (
      paths !== null &&
      folder &&
      parent.filename &&
      (typed || !typedOnly) &&
      Module._nodeModulePaths === nodeModulePaths
    ) {
      const cache = program();
      const told = typed ? identity(request) + TYPED_REQUEST : identity(request);
      try {
        answer = cache?.resolve(folder, told, paths.length);
      } catch (error) {
        giveUp(error);
      }
      if (answer !== undefined) counts.resolved++;
      else if (typed) answer = kit.typescript().find(request, folder, paths.length, told);
      if (answer === undefined) {
        counts.searched++;
        if (cache !== undefined && !isReadOnly()) kit.recording().capture.searched(request, told, parent);
      }
      if (!unsettled) {
        unsettled = true;
        settled.then(() => {
          unsettled = false;
          // It may have been closed since.
          try {
            cache?.settle();
          } catch {}
        });
      }
    }
    asked = { request, parent, paths, answer };
    const standing = Module._findPath;
    if (answer !== undefined ? standing === findPath : standing === knownPath)
      Module._findPath = answer !== undefined ? knownPath : findPath;
    next();
    return paths;
  };
}
