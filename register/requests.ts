/**
 * Tells Node.js' loader where requests lead, before it looks.
 *
 * For a request the loader first calls `Module._resolveLookupPaths`. If the answer is known, `Module._findPath`, which it
 * calls next, is replaced by a function that returns the answer.
 */

import { beginning } from './beginning.js';
import { isTyped, type Kit, TYPED_REQUEST } from './kit.js';
import { type LoadedModule, Module, type ModuleClass } from './node-module.js';
import { findsAsEver, hooksAreAsked } from './others.js';
import { counts, giveUp, isOpening, isReadOnly, program } from './state.js';

const { apply } = Reflect;
const { findPath, nodeModulePaths, lookupPaths } = beginning;
const resolveFilename = Module._resolveFilename.bind(Module);

/** A request to the loader, and what is known about it. */
interface Asked {
  request: string;
  parent: LoadedModule | null | undefined;
  paths: unknown;
  answer: string | undefined;
  /** The key of the answer in `Module._pathCache`. */
  remembered: string | undefined;
  /** Records a request that led nowhere in earlier runs, if it leads somewhere in this one. */
  record: (() => void) | undefined;
}

/** The last request. */
let asked: Asked = {
  request: '',
  parent: undefined,
  paths: undefined,
  answer: undefined,
  remembered: undefined,
  record: undefined,
};

/** The module that is being loaded and does not run yet, judging by the last request. */
export function loading(executing: symbol | undefined): (LoadedModule & { filename: string }) | undefined {
  const { request, parent } = asked;
  let module = parent?.children?.[parent.children.length - 1];
  if (parent === null || parent === undefined) {
    // The main module is requested under any name; a module that an ES module imports, under its path.
    module = process.mainModule as unknown as LoadedModule | undefined;
    if (module === undefined || module.loaded || (executing && module[executing]))
      module = Module._cache[request];
  }
  if (module === undefined || module.loaded || module.filename === null) return undefined;
  return executing && module[executing] ? undefined : (module as LoadedModule & { filename: string });
}

/** Called when the last request has led to a module that is about to be loaded. */
export function found(): void {
  const { record } = asked;
  asked.record = undefined;
  try {
    record?.();
  } catch (error) {
    giveUp(error);
  }
}

/**
 * Whether requests of a file follow TypeScript's rules. If another package runs such files (ts-node, for example), it and
 * Node.js decide what they mean.
 */
function asksTyped(file: string): boolean {
  if (file !== asker) {
    asker = file;
    // The same as `extname`, which is slower because it reads a path character by character: for `.ts` alone it is empty.
    const dot = file.lastIndexOf('.');
    askerExtension = isTyped(file) ? file.slice(file[dot - 1] === '/' ? file.length : dot) : undefined;
  }
  return askerExtension !== undefined && Module._extensions[askerExtension] === undefined;
}

/** The file that made the last request, and its extension, if it is TypeScript. */
let asker = '';
let askerExtension: string | undefined;

/** The name of the note that lists the program's requests which need not be recorded: see recording/searches.ts. */
export const hopelessName = (): string => `hopeless ${process.argv[1] ?? ''}`;

let hopeless: Set<string> | undefined;

/** Everything except the file system that decides where a request leads: its text, and the extensions that are tried. */
function identity(request: string): string {
  const tried = Object.keys(Module._extensions);
  // Elements by index: an iterator would take as long as the rest of this function.
  if (tried.length === 3 && tried[0] === '.js' && tried[1] === '.json' && tried[2] === '.node')
    return request;
  return `${request}\0${tried.join()}`;
}

/**
 * Whether hooks of the program (`module.registerHooks`) have passed other conditions with a request. The loader remembers
 * what it found for them as the answer to the request itself, so from then on every request is left to it.
 */
let othersConditions = false;

let conditionsOfNode: unknown;

/** Whether these are the conditions of Node.js itself, which passes the same set with every request. */
function areNodes(conditions: unknown): boolean {
  // Versions of Node.js without such hooks pass none.
  if (conditions === undefined || !hooksAreAsked()) return true;
  if (conditionsOfNode === undefined)
    askNode((_request, _paths, _isMain, conditions) => {
      conditionsOfNode = conditions;
      return '/';
    }, './');
  return conditions === conditionsOfNode;
}

/**
 * Returns the known answer. It replaces Node.js' `_findPath` for this one call only, because V8 names that function after
 * the property that holds it.
 */
const knownPath: typeof findPath = function (this: unknown, request, paths, ...more) {
  if (Module._findPath === knownPath) Module._findPath = findPath;
  const { answer, remembered } = asked;
  othersConditions ||= !areNodes(more[1]);
  if (answer !== undefined && request === asked.request && paths === asked.paths && !othersConditions) {
    // As the loader does after a search: from now on it answers this request itself.
    if (remembered !== undefined) Module._pathCache[remembered] = answer;
    if (Module._cache[answer] === undefined) Module._nodeModulePaths = knownModulePaths;
    return answer;
  }
  return apply(findPath, this, [request, paths, ...more]) as string | false;
};

/** How many folders, and how many requests, are remembered. Beyond that, all of them are forgotten. */
const MOST_FOLDERS = 8192;
const MOST_REQUESTS = 65_536;

/** By folder: where the loader looks for packages that modules in it request. */
const modulePaths = new Map<string, readonly string[]>();

/**
 * The same as Node.js' `_nodeModulePaths`, which reads a path three times, character by character. It replaces that one
 * while a module is about to be loaded, and puts it back when it is called.
 */
const knownModulePaths: typeof nodeModulePaths = function (this: unknown, folder) {
  if (Module._nodeModulePaths === knownModulePaths) Module._nodeModulePaths = nodeModulePaths;
  const known = modulePaths.get(folder);
  // Each module gets an array of its own, because the program may change it.
  if (known !== undefined) return known.slice();
  const paths = apply(nodeModulePaths, this, [folder]) as string[];
  if (modulePaths.size >= MOST_FOLDERS) modulePaths.clear();
  if (folder[0] === '/') modulePaths.set(folder, paths.slice());
  return paths;
};

/**
 * Whether `pathsOf` may answer a relative request itself: `_resolveLookupPaths` is the one of Node.js that it knows, and
 * does not print anything.
 */
const isPlain =
  process.env.NODE_DEBUG === undefined && String(lookupPaths).includes('[path.dirname(parent.filename)]');

/** Where the loader looks for a request: the result of Node.js' own `_resolveLookupPaths`. */
function pathsOf(request: string, parent: LoadedModule | null | undefined): string[] | null {
  if (isPlain && parent?.id && parent.filename && request[0] === '.') {
    const { path, filename } = parent;
    const isBelow = request[1] === '/' || (request[1] === '.' && request[2] === '/');
    // A module that a program has made itself may have no folder, or another one than that of its file.
    if (isBelow && typeof path === 'string' && typeof filename === 'string' && path.length > 1)
      if (filename.lastIndexOf('/') === path.length && filename.startsWith(path)) return [path];
  }
  return lookupPaths(request, parent);
}

/** The requests of this process, by the folders that they came from. */
const passed = new Map<string, Set<string>>();
let passedCount = 0;

/** Whether the same request from the same folder was made before. Remembers it. */
function wasAsked(folder: string, request: string): boolean {
  let requests = passed.get(folder);
  if (requests?.has(request)) return true;
  if (passedCount >= MOST_REQUESTS) {
    passed.clear();
    passedCount = 0;
    requests = undefined;
  }
  if (requests === undefined) {
    requests = new Set();
    passed.set(folder, requests);
  }
  requests.add(request);
  passedCount++;
  return false;
}

/**
 * Resolves a request with Node.js' own functions only.
 *
 * @param find looks for the file
 */
function askNode(find: ModuleClass['_findPath'], request: string, parent?: LoadedModule): string {
  const { _findPath, _pathCache, _resolveLookupPaths } = Module;
  try {
    Module._findPath = find;
    // The loader may remember what it found for the conditions of a hook.
    if (hooksAreAsked()) Module._pathCache = Object.create(null);
    Module._resolveLookupPaths = pathsOf;
    return resolveFilename(request, parent, false);
  } finally {
    // The program may have installed functions of its own, which must stay.
    Module._findPath = _findPath;
    Module._pathCache = _pathCache;
    Module._resolveLookupPaths = _resolveLookupPaths;
  }
}

/**
 * Where a request leads that Node.js has searched for.
 *
 * @param asked the key under which the loader remembers the answer
 */
export function resolveAgain(request: string, parent: LoadedModule, asked: string): string {
  return (!hooksAreAsked() && Module._pathCache[asked]) || askNode(findPath, request, parent);
}

/**
 * Makes the replacement for `Module._resolveLookupPaths`.
 *
 * @param typedOnly whether only requests of TypeScript files are answered
 * @param next called at each request
 */
export function lookupOf(kit: Kit, typedOnly: boolean, next: () => void): ModuleClass['_resolveLookupPaths'] {
  let unsettled = false;
  const settled = Promise.resolve();
  return (request, parent) => {
    if (Module._nodeModulePaths === knownModulePaths) Module._nodeModulePaths = nodeModulePaths;
    const paths = pathsOf(request, parent);
    // These are requests of the addon's search. The module for which it is needed is still about to be loaded.
    if (isOpening()) return paths;
    let answer: string | undefined;
    let remembered: string | undefined;
    let record: Asked['record'];
    const folder = parent?.path;
    const typed = asksTyped(parent?.filename ?? '');
    // The loader answers by itself what a file in this folder has requested before.
    if (!typed && paths?.length === 1 && request[0] === '.') remembered = `${request}\0${paths[0]}`;
    if (
      paths !== null &&
      // A string that was just concatenated is slow to look up: only requests that were made before can be there.
      !(remembered !== undefined && wasAsked(paths[0] as string, request) && Module._pathCache[remembered]) &&
      folder &&
      // In a module that a program has made, `path` may not be the folder of its file, which the loader uses.
      (paths.length !== 1 || request[0] !== '.' || paths[0] === folder) &&
      parent.filename &&
      (typed || !typedOnly) &&
      Module._nodeModulePaths === nodeModulePaths
    ) {
      const cache = findsAsEver() && !othersConditions ? program() : undefined;
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
        if (cache !== undefined && !isReadOnly())
          try {
            hopeless ??= new Set(cache.noted(hopelessName())?.split('\n'));
            const search = () => kit.recording().capture.searched(request, told, parent, paths);
            const name = `${folder}\0${told}`;
            if (hopeless.has(name)) record = search;
            else if (!hopeless.has(`!${name}`)) search();
          } catch (error) {
            giveUp(error);
          }
      }
      if (!unsettled) {
        unsettled = true;
        settled.then(() => {
          unsettled = false;
          // The cache may have been closed since.
          try {
            cache?.settle();
          } catch {}
        });
      }
    }
    asked = { request, parent, paths, answer, remembered, record };
    const standing = Module._findPath;
    if (answer !== undefined ? standing === findPath : standing === knownPath)
      Module._findPath = answer !== undefined ? knownPath : findPath;
    next();
    return paths;
  };
}
