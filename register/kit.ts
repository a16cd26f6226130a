/** What the bundles that are loaded on demand get from commonjs.ts. */

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
  /** These compile a module's text, with bytecode or without: see compile.ts. */
  compileText(text: string, filename: string, code?: Code): Compiled;
  compileBare(text: string, filename: string, code?: Code): Compiled;
  asText(source: string): string;
  sourceOf(text: string): string;
  /** The name of the note that lists requests which are not recorded: see recording/searches.ts. */
  hopelessName(): string;
  /** Where a request leads that Node.js has searched for: see requests.ts. */
  resolveAgain(request: string, parent: LoadedModule, asked: string): string;
  /** Whether this is a worker thread. */
  inThread: boolean;
  /** Whether scripts can have `import()`. */
  canImport: boolean;
  /** Whether the code of a text has an `import()`, not only its strings and comments. */
  reallyImports(text: string): boolean;
  /** Whether nothing is written to the shard. */
  isReadOnly(): boolean;
  /** Whether a file is served, by `include` and `exclude`. */
  isServed(file: string): boolean;
  /** Whether source maps are put into the texts, where a debugger looks for them. */
  inlineMaps: boolean;
  recording(): Recording;
  typescript(): TypeScript;
  /** Keeps the source map of a transpiled module (its text, or its number in a cache) until a stack is formatted. */
  keepMap(filename: string, map: string | number, cache?: ProgramCalls): void;
  /** Those of our bundles that were loaded since the last call. */
  takeOwned(): Own[];
  /** Called when ES modules are about to be loaded, with `typed` if some of them may be TypeScript. */
  esModules(typed: boolean): void;
}

/** The wrapper around a module's text, see src-rs/core/src/stores/program/text.rs. */
export const [BEFORE, AFTER] = [
  '(function (exports, require, module, __filename, __dirname) {\n',
  '\n})',
] as const;

// Flags of entries. The engine uses 1 (`WIDE`).

/** Left to Node.js. */
export const ASIDE = 2;
/** The text is the output of a transpiler, not the source. */
export const TRANSPILED = 4;
/** The nearest manifest says that files are CommonJS. */
export const TYPED = 8;

/** The text has an `import()`. */
export const IMPORTS = 16;
/** The text is an ES module. */
export const ESM = 32;

/** The entry has no source map; in its place is the name that frames show for the module. */
export const NAMED = 64;
/** The text is not wrapped. */
export const BARE = 128;

/** No flag of an entry. The addon sets it while it has something to write, because a file was touched. */
export const WAITING = 256;

/** Appended to a TypeScript file's request, which may lead elsewhere than the same request of a JavaScript file. */
export const TYPED_REQUEST = '\tts';

/** A module's body, ready to run. */
export interface Prepared {
  filename: string;
  script: Compiled;
  flags: number;
}
