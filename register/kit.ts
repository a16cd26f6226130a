/** What the bundles that are loaded later get of the first one. */

import type { Compiled } from './compile.js';
import type { Code, ProgramCalls } from './native.js';
import type { LoadedModule } from './node-module.js';
import type { Own } from './opening.js';
import type { Recording } from './recording/index.js';
import type { Counts } from './state.js';
import type { TypeScript } from './typescript/index.js';

export { hasImport, isTyped } from './texts.js';

export interface Kit {
  counts: Counts;
  program(): ProgramCalls | undefined;
  debug(what: string, path: string, why?: string): void;
  giveUp(reason: unknown): void;
  /** What decides, beside the file system, where a request leads. */
  identity(request: string): string;
  /** Compile a module's text, with bytecode or without: see compile.ts. */
  compileText(text: string, filename: string, code?: Code): Compiled;
  compileBare(text: string, filename: string, code?: Code): Compiled;
  asText(source: string): string;
  sourceOf(text: string): string;
  /** Whether a file's requests mean what TypeScript understands, and are not somebody else's to answer. */
  asksTyped(file: string): boolean;
  /** Name of the note of requests that are not recorded: see recording/searches.ts. */
  hopelessName(): string;
  /** What Node.js finds for a request, and where it looked. */
  resolveAgain(request: string, parent: LoadedModule): { real: string; paths: readonly string[] | null };
  /** Whether this is a thread of a program, not its main one. */
  inThread: boolean;
  /** Whether scripts can have `import()`. */
  canImport: boolean;
  /** Whether the code of a text has an `import()`, not only its strings and comments. */
  reallyImports(text: string): boolean;
  /** Whether nothing is kept. */
  isReadOnly(): boolean;
  /** Whether a file is to be served. */
  isServed(file: string): boolean;
  /** Whether source maps stand in the texts, where a debugger looks for them. */
  inlineMaps: boolean;
  recording(): Recording;
  typescript(): TypeScript;
  /** Keeps the source map of a module that was transpiled, for when a stack is formatted: its text, or its number in a cache. */
  keepMap(filename: string, map: string | number, cache?: ProgramCalls): void;
  /** Bundles of ours that were loaded since the last call. */
  takeOwned(): Own[];
  /** ES modules are about to be loaded, of TypeScript perhaps. */
  esModules(typed: boolean): void;
}

/** What stands around a module's text, see src-rs/core/src/stores/program/text.rs. */
export const [BEFORE, AFTER] = [
  '(function (exports, require, module, __filename, __dirname) {\n',
  '\n})',
] as const;

// Flags of entries; 1 is the engine's (`WIDE`).

/** Left to Node.js. */
export const ASIDE = 2;
/** The text is not the source, but what a transpiler made of it. */
export const TRANSPILED = 4;
/** The nearest manifest says that files are CommonJS. */
export const TYPED = 8;

/** The text has an `import()`. */
export const IMPORTS = 16;
/** The text is an ES module's. */
export const ESM = 32;

/** In the place of a source map stands the name by which frames tell the module. */
export const NAMED = 64;
/** The text is not wrapped. */
export const BARE = 128;

/** Of no entry, but of a process: something waits to be written, because a file was touched. */
export const WAITING = 256;

/** Told behind a request of such a file, which may lead elsewhere than the same request of a JavaScript file. */
export const TYPED_REQUEST = '\tts';

/** A module's body, ready to run. */
export interface Prepared {
  filename: string;
  script: Compiled;
  flags: number;
}
