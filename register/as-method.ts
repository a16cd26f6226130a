import { beginning } from './beginning.js';
import type { Handler } from './node-module.js';

/**
 * A handler as V8 names it when it is found in `Module._extensions`, where an accessor stands now: V8 tells a method by
 * the property of its receiver that holds it. Bound to such a receiver it leaves no other trace.
 */
export function asMethod(handler: Handler): Handler {
  const receiver = { __proto__: null, '.js': handler };
  beginning.receivers.push(receiver);
  return handler.bind(receiver);
}

/** A value stands in `Module._extensions` again: V8 names handlers by that, those that are running included. */
export function nameByValue(): void {
  for (const receiver of beginning.receivers) {
    Reflect.deleteProperty(receiver, '.js');
    Reflect.setPrototypeOf(receiver, beginning.Module._extensions);
  }
}
