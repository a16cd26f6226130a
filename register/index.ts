/**
 * `warmshard/register`: programs that start warm.
 *
 * Loading it is enough: `node -r warmshard/register app.js`, `node --import warmshard/register app.js`, or a `require` at
 * the top of a command-line tool.
 */

import { type Reason, reasonToStepAside } from './aside.js';
import { hookCommonJs, publish, recording } from './commonjs.js';
import { isTyped } from './kit.js';
import { type LoadedModule, Module } from './node-module.js';
import {
  type Counts,
  closedBecause,
  configure,
  counts,
  type EnableOptions,
  faultOf,
  giveUp,
  path,
} from './state.js';

export type { Counts, EnableOptions };

/** What `status` tells. */
export interface Status extends Counts {
  /** Whether modules are served. */
  enabled: boolean;
  /** Why not. */
  reason?: string;
  /** The shard. */
  path: string;
}

/** Where the one instance of a process is kept: it may be preloaded, and required later. */
const instance = Symbol.for('warmshard/register');

let reason: Reason | undefined;
let hooked = false;

/**
 * Serves modules from a shard, and records those that are not in it.
 *
 * @param options where the shard is and what is served; see there for defaults
 * @throws `ERR_INVALID_ARG` for an option of another type; nothing is changed then
 */
export function enable(options: EnableOptions = {}): void {
  const fault = faultOf(options);
  if (fault !== undefined) throw recording().invalid(fault);
  if (hooked) publish();
  configure(options);
  reason = reasonToStepAside();
  if (reason !== undefined) {
    giveUp(reason.why);
    // A program of TypeScript is watched as TypeScript: without a transpiler it would not run at all.
    if (!reason.transpiles || !isTyped(process.argv[1] ?? '')) return;
  }
  if (hooked) return;
  hooked = true;
  hookCommonJs(module as unknown as LoadedModule, reason !== undefined);
}

/**
 * Writes what was recorded so far, without waiting for the program's end.
 *
 * @returns how many entries were written
 */
export function flush(): number {
  return publish();
}

/** What this process has got from the shard. */
export function status(): Status {
  const why = reason?.why ?? closedBecause();
  return { enabled: why === undefined, ...(why !== undefined && { reason: why }), path: path(), ...counts };
}

const self = module as unknown as LoadedModule;
const holder = Module as unknown as { [instance]?: unknown };
if (holder[instance] !== undefined) self.exports = holder[instance];
else {
  Object.defineProperty(Module, instance, { value: self.exports });
  enable();
  // What was loaded before the program is none of its modules.
  if (self.isPreloading) delete Module._cache[__filename];
}
