import type { Handler } from './node-module.js';

/**
 * A handler as V8 names it when it is found in `Module._extensions`, where an accessor stands now: V8 tells a method by
 * the property of its receiver that holds it. Bound to such a receiver it leaves no other trace.
 */
export function asMethod(handler: Handler, extension: string): Handler {
  return handler.bind({ __proto__: null, [extension]: handler });
}
