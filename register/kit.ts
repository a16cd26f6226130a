/** What the bundles that are loaded later get of the first one. */

import type vm from 'node:vm';
import type { ProgramCalls } from './native.js';
import type { LoadedModule } from './node-module.js';
import type { Counts } from './state.js';

export interface Kit {
  counts: Counts;
  program(): ProgramCalls | undefined;
  debug(what: string, path: string, why?: string): void;
  giveUp(reason: unknown): void;
  /** What decides, beside the file system, where a request leads. */
  identity(request: string): string;
  /** Compiles a module's text, with bytecode or without. */
  compileText(text: string, filename: string, cachedData?: Uint8Array): vm.Script;
  /** What Node.js finds for a request, and where it looked. */
  resolveAgain(request: string, parent: LoadedModule): { real: string; paths: readonly string[] | null };
  /** Whether this is a thread of a program, not its main one. */
  inThread: boolean;
  /** Whether scripts can have `import()`. */
  canImport: boolean;
}

/** Flags of entries; the lower ones are the engine's. */
export const WIDE = 1;
/** Left to Node.js. */
export const ASIDE = 2;
/** The nearest manifest says that files are CommonJS. */
export const TYPED = 8;

/** A module's body, ready to run. */
export interface Prepared {
  filename: string;
  script: vm.Script;
  flags: number;
}
