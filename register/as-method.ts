import { beginning } from './beginning.js';
import type { Handler } from './node-module.js';

/**
 * Gives a handler the name in stack traces that it has as a value of `Module._extensions`, where an accessor is now: V8
 * names a method after the property of its receiver that holds it. So the handler is bound to a receiver that does.
 */
export function asMethod(handler: Handler): Handler {
  const receiver = { __proto__: null, '.js': handler };
  beginning.receivers.push(receiver);
  return handler.bind(receiver);
}

/** `Module._extensions` holds a value again: V8 has to name handlers after that, including those that are running. */
export function nameByValue(): void {
  for (const receiver of beginning.receivers) {
    Reflect.deleteProperty(receiver, '.js');
    Reflect.setPrototypeOf(receiver, beginning.Module._extensions);
  }
}
