/**
 * Compiling a module's text, in the shape that it has in the shard.
 *
 * Most are wrapped as a function whose head has a line of its own, which is taken off again by an offset. Where V8 tells
 * of code that was made of a string, it counts from the text's beginning, whatever the offset: a module that may make such
 * code has the head on the source's first line, or none at all. See src-rs/core/src/stores/program/text.rs.
 */

import { vm } from './builtins.js';
import { BEFORE } from './kit.js';

/** V8's own way of `import()`: Node.js 20 has it too, but loses it with a code cache. */
const major = Number.parseInt(process.versions.node, 10);
const importModuleDynamically =
  major >= 22
    ? (vm.constants as unknown as { USE_MAIN_CONTEXT_DEFAULT_LOADER: never }).USE_MAIN_CONTEXT_DEFAULT_LOADER
    : undefined;

/** Whether scripts can have `import()`. */
export const canImport = importModuleDynamically !== undefined;

/** What a module's text was compiled to: as much of a `vm.Script` as is used. */
export type Compiled = Pick<vm.Script, 'runInThisContext' | 'createCachedData' | 'cachedDataRejected'>;

const HEAD_ENDS = BEFORE.length - 1;
const NEW_LINE = 10;

/** Compiles a wrapped text, with bytecode or without. */
export function compileText(text: string, filename: string, cachedData?: Uint8Array): vm.Script {
  const hasOwnLine = text.charCodeAt(HEAD_ENDS) === NEW_LINE;
  return new vm.Script(text, {
    filename,
    lineOffset: hasOwnLine ? -1 : 0,
    columnOffset: hasOwnLine ? 0 : -BEFORE.length,
    cachedData: cachedData as Buffer | undefined,
    importModuleDynamically,
  });
}

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

/**
 * Compiles a text that is not wrapped, as Node.js does. Of such a function there is the bytecode of the beginning only, for
 * it can be taken only then.
 */
export function compileBare(text: string, filename: string, cachedData?: Uint8Array): Compiled {
  const compile = (cachedData?: Uint8Array) =>
    vm.compileFunction(text, PARAMETERS, {
      filename,
      ...(cachedData ? { cachedData: cachedData as Buffer } : { produceCachedData: true }),
      ...(importModuleDynamically !== undefined && { importModuleDynamically }),
    });
  const body = compile(cachedData);
  const rejected = body.cachedDataRejected === true;
  let code = rejected ? undefined : ((cachedData as Buffer | undefined) ?? body.cachedData);
  // The module's own function, to those who get hold of it.
  for (const name of Object.keys(body)) Reflect.deleteProperty(body, name);
  return {
    runInThisContext: () => body,
    createCachedData: () => {
      code ??= compile().cachedData ?? Buffer.alloc(0);
      return code as ReturnType<vm.Script['createCachedData']>;
    },
    cachedDataRejected: rejected,
  };
}
