/** What others may have put in the loader's way, and whether it changes what modules are. */

import { beginning } from './beginning.js';
import { type Handler, type LoadedModule, Module } from './node-module.js';

const { apply } = Reflect;
const { compile } = beginning;

let cacheOfOthers: unknown;

/**
 * Whether a `_compile` is Node.js' own, or that of the package v8-compile-cache, which some programs hold a copy of: it
 * caches as we do, and changes nothing else.
 */
export function compilesAsEver(method: LoadedModule['_compile']): boolean {
  if (method === compile || method === cacheOfOthers) return true;
  if (!String(method).includes('compiledWrapper = self._moduleCompile(')) return false;
  cacheOfOthers = method;
  return true;
}

let asked = false;

/** Whether somebody has got hold of `registerHooks`, and may have registered some. */
export function hooksAreAsked(): boolean {
  return asked;
}

/**
 * Sees to it that `hooksAreAsked` is known.
 *
 * @param isFirst whether nobody can have asked before
 */
export function watchHooks(isFirst: boolean): void {
  const { registerHooks } = Module;
  if (registerHooks === undefined) return;
  asked = !isFirst;
  const shared = { configurable: true, enumerable: true };
  Object.defineProperty(Module, 'registerHooks', {
    ...shared,
    get() {
      asked = true;
      return registerHooks;
    },
    set(value: unknown) {
      Object.defineProperty(Module, 'registerHooks', { ...shared, writable: true, value });
    },
  });
}

/**
 * Whether hooks may give modules another source: with them the loader keeps in mind what URL a module has.
 *
 * @param handler Node.js' own of `.js`
 * @param learn told the symbols by which the loader keeps a module's state
 */
export function loaderIsHooked(handler: Handler, learn: (symbol: symbol) => void): boolean {
  let hooked = false;
  const stand = new Proxy({} as LoadedModule, {
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
    // No file has such a name, so it ends one way or the other before anything is loaded.
    apply(handler, Module._extensions, [stand, '/\0.cjs']);
  } catch {}
  Error.stackTraceLimit = stackTraceLimit;
  return hooked;
}
