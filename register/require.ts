import { beginning } from './beginning.js';
import type { BodyArguments } from './frames.js';
import { type LoadedModule, Module } from './node-module.js';

const { apply } = Reflect;
const { compile } = beginning;

function setResolve(this: unknown, value: unknown): void {
  const how = { configurable: true, enumerable: true, writable: true, value };
  Object.defineProperty(this, 'resolve', how);
}

/**
 * Completes a module's `require` with everything that Node.js puts on it.
 *
 * @param bare made by `makeRequire` in frames.ts
 * @param executing the symbol under which the loader keeps whether a module's body is running
 */
export function requireOf(
  module: LoadedModule,
  bare: BodyArguments[1],
  executing: symbol | undefined,
): BodyArguments[1] {
  const require = bare as BodyArguments[1] & Record<string, unknown>;
  // Few modules use `resolve`, so Node.js' own is made when it is first read.
  Object.defineProperty(require, 'resolve', {
    configurable: true,
    enumerable: true,
    get() {
      const state = executing && module[executing];
      const genuine = apply(compile, module, [
        'return require',
        module.filename,
        'commonjs',
      ]) as typeof require;
      if (executing !== undefined) module[executing] = state;
      this.resolve = genuine.resolve;
      return genuine.resolve;
    },
    set: setResolve,
  });
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}
