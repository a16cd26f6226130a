/**
 * Compiling a module's text, in the shape that it has in the shard.
 *
 * With the shim that is the source itself, and V8 is told the parameters. What follows is for where there is none: scripts.
 * Most are wrapped as a function whose head has a line of its own, which is taken off again by an offset. Where V8 tells
 * of code that was made of a string, it counts from the text's beginning, whatever the offset: a module that may make such
 * code has the head on the source's first line, or none at all. See src-rs/core/src/stores/program/text.rs.
 */

import { vm } from './builtins.js';
import { AFTER, BEFORE } from './kit.js';
import type { Code } from './native.js';
import { compiler, FunctionScript } from './opening.js';

/** Whether what is compiled can have `import()`: V8 of Node.js 20 loses it with a code cache. */
export const canImport = Number.parseInt(process.versions.node, 10) >= 22;

/** Node.js' own way of `import()`, for scripts. */
const importing = () =>
  canImport
    ? (vm().constants as unknown as { USE_MAIN_CONTEXT_DEFAULT_LOADER: never })
        .USE_MAIN_CONTEXT_DEFAULT_LOADER
    : undefined;

/** What a module's text was compiled to: as much of a `vm.Script` as is used. */
export interface Compiled {
  runInThisContext(): unknown;
  /**
   * To be recorded at once: where modules are functions it is the number of the last one.
   *
   * @param failing whether an error may be what ends the program: its message shows a line of the source
   */
  createCachedData(failing?: boolean): Code;
  readonly cachedDataRejected?: boolean | undefined;
}

const HEAD_ENDS = BEFORE.length - 1;
const NEW_LINE = 10;

/** A source as `compileText` takes it, where there is no shard to put it into that shape. */
export const asText = (source: string): string =>
  compiler() === undefined ? BEFORE + source + AFTER : source;

/** The source that such a text was made of. */
export const sourceOf = (text: string): string =>
  compiler() === undefined ? text.slice(BEFORE.length, -AFTER.length) : text;

const asBytes = (code: Code | undefined) =>
  code === undefined || (code as Uint8Array).length === 0 ? undefined : (code as Buffer);

/** Compiles a text as the shard has it, with bytecode or without. */
export function compileText(text: string, filename: string, code?: Code): Compiled {
  const functions = compiler();
  if (functions !== undefined)
    return new FunctionScript(functions.compile(text, filename, (code as number | undefined) ?? 0));
  const hasOwnLine = text.charCodeAt(HEAD_ENDS) === NEW_LINE;
  const { Script } = vm();
  return new Script(text, {
    filename,
    lineOffset: hasOwnLine ? -1 : 0,
    columnOffset: hasOwnLine ? 0 : -BEFORE.length,
    cachedData: asBytes(code),
    importModuleDynamically: importing(),
  });
}

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

/**
 * Compiles a text that is not wrapped, as Node.js does, where there is no shim. Of such a function there is the bytecode of the beginning only, for
 * it can be taken only then.
 */
export function compileBare(text: string, filename: string, kept?: Code): Compiled {
  if (compiler() !== undefined) return compileText(text, filename, kept);
  const cachedData = asBytes(kept);
  const compile = (cachedData?: Buffer) =>
    vm().compileFunction(text, PARAMETERS, {
      filename,
      ...(cachedData ? { cachedData } : { produceCachedData: true }),
      ...(canImport && { importModuleDynamically: importing() }),
    });
  const body = compile(cachedData);
  const rejected = body.cachedDataRejected === true;
  let code = rejected ? undefined : (cachedData ?? body.cachedData);
  // The module's own function, to those who get hold of it.
  for (const name of Object.keys(body)) Reflect.deleteProperty(body, name);
  return {
    runInThisContext: () => body,
    createCachedData: () => {
      code ??= compile().cachedData ?? Buffer.alloc(0);
      return code;
    },
    cachedDataRejected: rejected,
  };
}
