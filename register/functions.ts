/**
 * Modules as functions: the shim, if it can be used, compiles them as Node.js' own loader does. See src-cpp/compile.cc.
 *
 * The shard keeps scripts and functions apart, so a process decides between them once, before it opens a shard.
 */

import { objection, openShim } from '../facade/later/shim.js';
import { addonPath } from '../facade/loader.js';

type Body = (...args: never[]) => unknown;

interface Compiler {
  /**
   * @param code the number of its bytecode, or 0
   * @param line the number of the text's first line, from 0
   * @returns the function; in an array if V8 has rejected the bytecode
   */
  compile(text: string, filename: string, code: number, line?: number): Body | [Body];
  /**
   * Takes the bytecode of a function that `compile` has returned. Its number is valid until the next one is given; 0 if
   * there is no bytecode.
   *
   * @param failing whether V8 may still have to show a line of the function's source
   */
  code(body: Body, failing?: boolean): number;
}

let found: Compiler | undefined;
let sought = false;

/** Compiles modules to functions; `undefined` if they are compiled as scripts. The addon must have been loaded. */
export function compiler(): Compiler | undefined {
  if (sought) return found;
  sought = true;
  const addon = addonPath();
  if (addon === undefined || objection() !== undefined) return undefined;
  try {
    const made: Partial<Compiler> = {};
    // The shim gives modules the host-defined options of this function, which Node.js' loader has compiled. If they are
    // not the default ones, another tool has compiled it, and the shim offers no compiler.
    const why = openShim(addon).offerCompiler?.(made, addon, compiler);
    if (why === undefined && made.compile && made.code) found = made as Compiler;
  } catch {}
  return found;
}

/** A function with the interface of a `vm.Script`. */
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
    // V8 makes no bytecode for some functions.
    return (found as Compiler).code(this.runInThisContext(), failing) || new Uint8Array(0);
  }
}
