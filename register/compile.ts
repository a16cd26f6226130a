/**
 * Compiles the text of a module, in the form that it has in the shard.
 *
 * With the shim that is the source itself, and V8 gets the names of the parameters. Without it, modules are scripts. Most
 * are wrapped in a function whose head is on a line of its own; a line offset makes up for that line. But the places that
 * V8 reports for code made from strings count from the beginning of the text, whatever the offset. So a module that may
 * make such code has the head on the source's first line, or none at all. See src-rs/core/src/stores/program/text.rs.
 */

import { vm } from './builtins.js';
import { AFTER, BEFORE } from './kit.js';
import type { Code } from './native.js';
import { compiler, FunctionScript } from './opening.js';

/** Whether modules with `import()` can be served: in Node.js 20, V8 forgets where an `import()` in bytecode came from. */
export const canImport = Number.parseInt(process.versions.node, 10) >= 22;

/** Makes `import()` in a script do what it does in a module that Node.js has compiled. */
const importing = () =>
  canImport
    ? (vm().constants as unknown as { USE_MAIN_CONTEXT_DEFAULT_LOADER: never })
        .USE_MAIN_CONTEXT_DEFAULT_LOADER
    : undefined;

/** What a module's text was compiled to: the part of `vm.Script` that is used. */
export interface Compiled {
  runInThisContext(): unknown;
  /**
   * If modules are functions, the result is a number that is valid only until the next call: record it at once.
   *
   * @param failing whether the program may be ending with an error, whose message shows a line of the source
   */
  createCachedData(failing?: boolean): Code;
  readonly cachedDataRejected?: boolean | undefined;
}

const HEAD_ENDS = BEFORE.length - 1;
const NEW_LINE = 10;

/** A source in the form that `compileText` takes, for when no shard puts it into that form. */
export const asText = (source: string): string =>
  compiler() === undefined ? BEFORE + source + AFTER : source;

/** The source in such a text. */
export const sourceOf = (text: string): string =>
  compiler() === undefined ? text.slice(BEFORE.length, -AFTER.length) : text;

const asBytes = (code: Code | undefined) =>
  code === undefined || (code as Uint8Array).length === 0 ? undefined : (code as Buffer);

/** Compiles a text in the shard's form, with bytecode or without. */
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
 * Compiles a text that is not wrapped, as Node.js does. Without the shim, bytecode of such a function can be taken only
 * when it is compiled, so it covers only what runs at once.
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
  // Code that gets hold of its own function (`arguments.callee`) must not find properties that Node.js does not set.
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
