/**
 * Modules as functions, compiled as Node.js' own loader compiles them: by the shim, if it is there. See src-cpp/compile.cc.
 *
 * What is a script and what is a function are kept apart in the shard, so it is decided before a shard is opened, for
 * good.
 */

import { objection, openShim } from '../facade/later/shim.js';
import { addonPath } from '../facade/loader.js';

type Body = (...args: never[]) => unknown;

interface Compiler {
  /**
   * @param code the number of its bytecode, or 0
   * @param line the number of the text's first line, from 0
   * @returns in an array of one where the bytecode was there, and of no use to V8
   */
  compile(text: string, filename: string, code: number, line?: number): Body | [Body];
  /**
   * The number of the bytecode of a body that `compile` gave, and of no other function, until there is another.
   *
   * @param failing whether V8 may still have to show a line of it
   */
  code(body: Body, failing?: boolean): number;
}

let found: Compiler | undefined;
let sought = false;

/** What compiles modules to functions; `undefined` where they are compiled as scripts. The addon must be loaded by then. */
export function compiler(): Compiler | undefined {
  if (sought) return found;
  sought = true;
  const addon = addonPath();
  if (addon === undefined || objection() !== undefined) return undefined;
  try {
    const made: Partial<Compiler> = {};
    // This function, too, was compiled by the loader. Where somebody has put another one in its place, there is none.
    const why = openShim(addon).offerCompiler?.(made, addon, compiler);
    if (why === undefined && made.compile && made.code) found = made as Compiler;
  } catch {}
  return found;
}

/** A function in the shape of a `vm.Script`. */
export class FunctionScript {
  constructor(private readonly made: Body | [Body]) {}

  get cachedDataRejected(): boolean {
    return typeof this.made !== 'function';
  }

  runInThisContext(): Body {
    const { made } = this;
    return typeof made === 'function' ? made : made[0];
  }

  createCachedData(failing?: boolean): number | Uint8Array {
    // Of some V8 gives none.
    return (found as Compiler).code(this.runInThisContext(), failing) || new Uint8Array(0);
  }
}
