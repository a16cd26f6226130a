/** What others may have put in the loader's way, and whether it changes what modules are. */

import { beginning } from './beginning.js';
import { fs } from './builtins.js';
import { type Handler, type LoadedModule, Module } from './node-module.js';

const { apply } = Reflect;
const { compile } = beginning;

let cacheOfOthers: unknown;

let mocks = false;

/**
 * Whether the disk is mocked by the package mock-fs, which has Node.js' own functions give what is not there. All that it
 * replaces where it is seen is `fs.createWriteStream`.
 *
 * @param file a module that is about to be loaded: mock-fs is told by one of its own
 */
export function isDiskMocked(file = ''): boolean {
  if (file.endsWith('/readfilecontext.js')) mocks = true;
  return mocks && String(fs.createWriteStream).includes('_mockedBinding');
}

const isNodesRealpath = (found: unknown) => String(found).includes('[realpathCacheKey]');

let knownRealpath: unknown = fs.realpathSync;
// Electron has put one of its own there before anything runs.
let findsGenuine = process.versions.electron !== undefined || isNodesRealpath(knownRealpath);

/** Whether requests lead where they always have: the loader takes the canonical path of a file from `fs.realpathSync`. */
export function findsAsEver(): boolean {
  const { realpathSync } = fs;
  if (realpathSync === knownRealpath && findsGenuine && !mocks) return true;
  if (realpathSync !== knownRealpath) {
    knownRealpath = realpathSync;
    findsGenuine = isNodesRealpath(realpathSync);
  }
  return findsGenuine && !isDiskMocked();
}

/** Whether a `_compile` is that of the package v8-compile-cache, told by its text. */
const isKnownCache = (method: unknown) => String(method).includes('compiledWrapper = self._moduleCompile(');

/**
 * Whether a `_compile` is Node.js' own, or that of the package v8-compile-cache, which some programs hold a copy of: it
 * caches as we do, and changes nothing else but frames.
 */
export function compilesAsEver(method: LoadedModule['_compile']): boolean {
  if (method === compile || method === cacheOfOthers) return true;
  if (!isKnownCache(method)) return false;
  cacheOfOthers = method;
  return true;
}

/**
 * Whether the functions that we take for Node.js' own are, each told by what only its own text has in it: somebody who was
 * preloaded ahead of us may have put others there, which go on deciding what modules are and where requests lead.
 */
export function beganAsEver(): boolean {
  const { isFirst, wrap, findPath, lookupPaths, nodeModulePaths, wrapperStart } = beginning;
  // Electron has put some of its own there before anything runs.
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

/** Whether somebody has got hold of `registerHooks`, and may have registered some: see door.ts. */
export const hooksAreAsked = (): boolean => beginning.hooksAsked === true;

/**
 * Whether hooks may give modules another source: with them the loader keeps in mind what URL a module has.
 *
 * @param handler Node.js' own of `.js`
 * @param learn told the symbols by which the loader keeps a module's state
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
    // An empty file, of which nothing is made. A name that is none would cost three times as much, for the error.
    apply(handler, Module._extensions, [stand, '/dev/null']);
  } catch {}
  Error.stackTraceLimit = stackTraceLimit;
  return hooked;
}
