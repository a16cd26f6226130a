/** Everything that only programs that request files need: a separate bundle, loaded by door.ts. */

import { type Reason, reasonToStepAside } from './aside.js';
import { beginning } from './beginning.js';
import { hookCommonJs, keepOwn, publish, recording } from './commonjs.js';
import { isTyped } from './kit.js';
import type { Handler, ModuleClass } from './node-module.js';
import {
  type Counts,
  closedBecause,
  configure,
  counts,
  type EnableOptions,
  faultOf,
  giveUp,
  shownPath,
} from './state.js';

/** What `status` returns. */
export interface Status extends Counts {
  /** Whether modules are served. */
  enabled: boolean;
  /** Why they are not. */
  reason?: string;
  /** The path of the shard; empty if there is no place for one. */
  path: string;
}

/** What users see; documented in index.ts. */
export interface Face {
  enable(options?: EnableOptions): void;
  flush(): number;
  status(): Status;
}

/** What door.ts does for this bundle. */
export interface Door {
  setLookup(lookup: ModuleClass['_resolveLookupPaths']): void;
  setHandler(handler: () => Handler): void;
  watchHooks(): void;
}

let reason: Reason | undefined;
let hooked = false;
let door: Door;

function enable(options: EnableOptions = {}): void {
  const fault = faultOf(options);
  if (fault !== undefined) throw recording().invalid(fault);
  if (hooked) publish();
  configure(options);
  reason = reasonToStepAside();
  if (reason !== undefined) {
    giveUp(reason.why);
    // A program in TypeScript needs its transpiler even then: it would not run at all.
    if (!reason.transpiles || !isTyped(process.argv[1] ?? '')) return;
  }
  if (hooked) return;
  hooked = true;
  hookCommonJs(reason !== undefined, door);
}

function status(): Status {
  const why = reason?.why ?? closedBecause();
  return {
    enabled: why === undefined,
    ...(why !== undefined && { reason: why }),
    path: shownPath(),
    ...counts,
  };
}

export const face: Face = { enable, flush: publish, status };

/** Enables it with the defaults, unless the process is left to Node.js. */
export function start(by: Door): void {
  door = by;
  if (beginning.passed !== undefined) counts.aside++;
  enable();
  keepOwn();
}
