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
