/** What other packages may have changed in the loader, and whether that changes what modules are. */

import { beginning } from './beginning.js';
import { fs } from './builtins.js';
import { type Handler, type LoadedModule, Module } from './node-module.js';

const { apply } = Reflect;
const { compile } = beginning;

let cacheOfOthers: unknown;

let mocks = false;

/**
 * Whether the package mock-fs mocks the disk: it makes Node.js' own functions return what does not exist. The only
 * function that it visibly replaces is `fs.createWriteStream`.
 *
 * @param file a module that is about to be loaded: mock-fs is recognised by one of its files
 */
export function isDiskMocked(file = ''): boolean {
  if (file.endsWith('/readfilecontext.js')) mocks = true;
  return mocks && String(fs.createWriteStream).includes('_mockedBinding');
}

const isNodesRealpath = (found: unknown) => String(found).includes('[realpathCacheKey]');

let knownRealpath: unknown = fs.realpathSync;
// Electron replaces it before any other code runs.
let findsGenuine = process.versions.electron !== undefined || isNodesRealpath(knownRealpath);

/** Whether `fs.realpathSync`, from which the loader takes the canonical paths of files, works as without the program. */
export function findsAsEver(): boolean {
  const { realpathSync } = fs;
  if (realpathSync === knownRealpath && findsGenuine && !mocks) return true;
  if (realpathSync !== knownRealpath) {
    knownRealpath = realpathSync;
    findsGenuine = isNodesRealpath(realpathSync);
  }
  return findsGenuine && !isDiskMocked();
}

/** Whether a `_compile` is that of the package v8-compile-cache, recognised by its text. */
const isKnownCache = (method: unknown) => String(method).includes('compiledWrapper = self._moduleCompile(');

/**
 * Whether a `_compile` is Node.js' own, or that of the package v8-compile-cache, which some programs include: it caches
 * as we do, and changes nothing but frames.
 */
export function compilesAsEver(method: LoadedModule['_compile']): boolean {
  if (method === compile || method === cacheOfOthers) return true;
  if (!isKnownCache(method)) return false;
  cacheOfOthers = method;
  return true;
}

/**
 * Whether the functions saved in beginning.ts are Node.js' own, each recognised by words that only its text contains. A
 * package that was preloaded ahead of this one may have replaced them, and its functions go on deciding what modules are
 * and where requests lead.
 */
export function beganAsEver(): boolean {
  const { isFirst, wrap, findPath, lookupPaths, nodeModulePaths, wrapperStart } = beginning;
  // Electron replaces some of them before any other code runs.
  if (isFirst || process.versions.electron !== undefined) return true;
  const own: [unknown, string][] = [
    [beginning.readFileSync, 'getOptions(options'],
    [wrap, 'return Module.wrapper[0] + script'],
    [findPath, 'ArrayPrototypeJoin(paths'],
    [lookupPaths, 'normalizeRequirableId('],
    [nodeModulePaths, 'StringPrototypeCharCodeAt('],
  ];
  const isCompile = String(compile).includes('wrapSafe(') || isKnownCache(compile);
  return (
    isCompile &&
    wrapperStart === '(function (exports, require, module, __filename, __dirname) { ' &&
    own.every(([found, text]) => String(found).includes(text))
  );
}

/** Whether the program has got hold of `registerHooks`, and may have registered hooks: see door.ts. */
export const hooksAreAsked = (): boolean => beginning.hooksAsked === true;

/**
 * Whether hooks may give modules another source: if there are hooks, the loader stores the URL of a module on it.
 *
 * @param handler Node.js' own handler of `.js`
 * @param learn called with the symbols under which the loader keeps a module's state
 */
export function loaderIsHooked(handler: Handler, learn: (symbol: symbol) => void): boolean {
  let hooked = false;
  const stand = new Proxy({ _compile() {} } as unknown as LoadedModule, {
    set(target, name, value) {
      if (typeof name === 'symbol') {
        learn(name);
        hooked ||= name.description === 'kURL';
      }
      if (hooked) throw undefined;
      return Reflect.set(target, name, value);
    },
  });
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
    // An empty file, so that nothing is compiled. An absent one would take three times as long, because of the error.
    apply(handler, Module._extensions, [stand, '/dev/null']);
  } catch {}
  Error.stackTraceLimit = stackTraceLimit;
  return hooked;
}
