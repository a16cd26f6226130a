/**
 * Where requests lead: told to the loader before it looks.
 *
 * `Module._resolveLookupPaths` is the first thing that it calls for a request. If the answer is known, `Module._findPath`,
 * which it calls next, becomes a function that gives it.
 */

import { beginning } from './beginning.js';
import { isTyped, type Kit, TYPED_REQUEST } from './kit.js';
import { type LoadedModule, Module, type ModuleClass } from './node-module.js';
import { findsAsEver } from './others.js';
import { counts, giveUp, isOpening, isReadOnly, program } from './state.js';

const { apply } = Reflect;
const { findPath, nodeModulePaths, lookupPaths } = beginning;
const resolveFilename = Module._resolveFilename.bind(Module);

/** What the loader was asked for. */
interface Asked {
  request: string;
  parent: LoadedModule | null | undefined;
  paths: unknown;
  answer: string | undefined;
  /** By which the loader remembers the answer. */
  remembered: string | undefined;
  /** Records a request that led nowhere so far, once it has been found. */
  record: (() => void) | undefined;
}

/** The module that the loader is about to load, as far as its last request tells. */
let asked: Asked = {
  request: '',
  parent: undefined,
  paths: undefined,
  answer: undefined,
  remembered: undefined,
  record: undefined,
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

/** The last request has led to a module that is about to be loaded. */
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
 * Whether a file's requests mean what TypeScript understands. Where somebody else runs such files (ts-node, say), they mean
 * what Node.js and he make of them.
 */
export function asksTyped(file: string): boolean {
  if (file !== asker) {
    asker = file;
    // What `extname` gives, which goes through a path character by character: of a bare `.ts` nothing.
    const dot = file.lastIndexOf('.');
    askerExtension = isTyped(file) ? file.slice(file[dot - 1] === '/' ? file.length : dot) : undefined;
  }
  return askerExtension !== undefined && Module._extensions[askerExtension] === undefined;
}

/** The file that asked last, and its extension, if it is TypeScript. */
let asker = '';
let askerExtension: string | undefined;

/** Name of the note of a program's requests that need not be recorded: see recording/searches.ts. */
export const hopelessName = (): string => `hopeless ${process.argv[1] ?? ''}`;

let hopeless: Set<string> | undefined;

/** What decides, beside the file system, where a request leads: its text, and the extensions that are tried. */
export function identity(request: string): string {
  const tried = Object.keys(Module._extensions);
  // Elements by their numbers: an iterator would take as long as all else here.
  if (tried.length === 3 && tried[0] === '.js' && tried[1] === '.json' && tried[2] === '.node')
    return request;
  return `${request}\0${tried.join()}`;
}

/**
 * Gives the answer that is known, and makes way: it stands in the place of Node.js' own only then, for V8 names that
 * one by its place.
 */
const knownPath: typeof findPath = function (this: unknown, request, paths, ...more) {
  if (Module._findPath === knownPath) Module._findPath = findPath;
  const { answer, remembered } = asked;
  if (answer !== undefined && request === asked.request && paths === asked.paths) {
    // As the loader does when it has looked: from now on it answers this request itself.
    if (remembered !== undefined) Module._pathCache[remembered] = answer;
    if (Module._cache[answer] === undefined) Module._nodeModulePaths = knownModulePaths;
    return answer;
  }
  return apply(findPath, this, [request, paths, ...more]) as string | false;
};

/** Most folders, and most requests, that are remembered; then it begins anew. */
const MOST_FOLDERS = 8192;
const MOST_REQUESTS = 65_536;

/** What the loader has told of folders: where modules in them look for packages. */
const modulePaths = new Map<string, readonly string[]>();

/**
 * The same as Node.js' own, which goes through a path three times, character by character. It stands in its place while a
 * module is about to be loaded, and makes way when it is asked.
 */
const knownModulePaths: typeof nodeModulePaths = function (this: unknown, folder) {
  if (Module._nodeModulePaths === knownModulePaths) Module._nodeModulePaths = nodeModulePaths;
  const known = modulePaths.get(folder);
  // Each module has an array of its own, which the program may add to.
  if (known !== undefined) return known.slice();
  const paths = apply(nodeModulePaths, this, [folder]) as string[];
  if (modulePaths.size >= MOST_FOLDERS) modulePaths.clear();
  if (folder[0] === '/') modulePaths.set(folder, paths.slice());
  return paths;
};

/** Whether Node.js' own answer to a request for a file by its place is known without asking: it says nothing, and is itself. */
const isPlain =
  process.env.NODE_DEBUG === undefined && String(lookupPaths).includes('[path.dirname(parent.filename)]');

/** Where the loader looks for a request: what Node.js' own `_resolveLookupPaths` gives. */
function pathsOf(request: string, parent: LoadedModule | null | undefined): string[] | null {
  if (isPlain && parent?.id && parent.filename && request[0] === '.') {
    const { path, filename } = parent;
    const isBelow = request[1] === '/' || (request[1] === '.' && request[2] === '/');
    // What somebody has made by hand may have no such folder, or another.
    if (isBelow && typeof path === 'string' && typeof filename === 'string' && path.length > 1)
      if (filename.lastIndexOf('/') === path.length && filename.startsWith(path)) return [path];
  }
  return lookupPaths(request, parent);
}

/** Requests that passed here, by the folders that they came from. */
const passed = new Map<string, Set<string>>();
let passedCount = 0;

/** Whether the same request from the same folder has passed before; from now on it has. */
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

/** Node.js asked once more, and nobody else, for a request that it has looked for. */
export function resolveAgain(request: string, parent: LoadedModule) {
  const { _findPath, _resolveLookupPaths } = Module;
  const answered = { paths: null as string[] | null };
  try {
    Module._findPath = findPath;
    Module._resolveLookupPaths = (...asked) => (answered.paths = pathsOf(...asked));
    return { real: resolveFilename(request, parent, false), paths: answered.paths };
  } finally {
    // The program may have put functions of its own there, which are to stay.
    Module._findPath = _findPath;
    Module._resolveLookupPaths = _resolveLookupPaths;
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
    if (Module._nodeModulePaths === knownModulePaths) Module._nodeModulePaths = nodeModulePaths;
    const paths = pathsOf(request, parent);
    // The module for whose sake the addon is looked for is still the one that is about to be loaded.
    if (isOpening()) return paths;
    let answer: string | undefined;
    let remembered: string | undefined;
    let record: Asked['record'];
    const folder = parent?.path;
    const typed = asksTyped(parent?.filename ?? '');
    // What a file of this folder has asked for before, the loader answers without looking.
    if (!typed && paths?.length === 1 && request[0] === '.') remembered = `${request}\0${paths[0]}`;
    if (
      paths !== null &&
      // Strings that were just put together take longest to look up: only what can be there is looked for.
      !(remembered !== undefined && wasAsked(paths[0] as string, request) && Module._pathCache[remembered]) &&
      folder &&
      // Of what was made by hand the folder may be another one than that of the file, by which the loader goes.
      (paths.length !== 1 || request[0] !== '.' || paths[0] === folder) &&
      parent.filename &&
      (typed || !typedOnly) &&
      Module._nodeModulePaths === nodeModulePaths
    ) {
      const cache = findsAsEver() ? program() : undefined;
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
          // It may have been closed since.
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
