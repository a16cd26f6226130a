/**
 * What runs first when a program requests a file: it opens the shard and takes the bytecode of our other bundles from it.
 *
 * These bundles are entries like any module: valid as long as the file is unchanged, recorded at the end of the run that
 * had to compile them, and served with their bytecode from then on. This bundle itself has to be compiled each time.
 */

import { beginning } from './beginning.js';
import type { Compiled } from './compile.js';
import { compiler, FunctionScript } from './functions.js';
import { type Code, codeOf, openProgram, type ProgramCalls } from './native.js';
import { FLAGS } from './told.js';
import { defaultPath, MAX_BYTES, options, profile } from './where.js';

export { compiler, FunctionScript } from './functions.js';
export { codeOf, openProgram } from './native.js';
export { defaultPath, MAX_BYTES, options, profile } from './where.js';

/** The text is to be wrapped as a module, see src-rs/core/src/stores/program/text.rs. */
const WRAP = 1;

/** Flag of an entry that only says that the file is left to Node.js; see kit.ts. */
const ASIDE = 2;

/** One of our bundles, which came from the shard or will be recorded in it. */
export interface Own {
  file: string;
  script: Compiled;
  /** Whether its bytecode was in the shard, was rejected by V8, or was not there. */
  state: 'found' | 'rejected' | 'new';
}

let early: ProgramCalls | undefined;
let owned: Own[] = [];
let compile: (name: string) => unknown;

/**
 * Must be called before the other functions.
 *
 * @param load compiles and runs a bundle without the shard
 * @param now whether the default shard will be needed at once
 */
export function begin(load: (name: string) => unknown, now: boolean): void {
  compile = load;
  // With `--enable-source-maps` it is needed for TypeScript only. Other reasons to step aside are found later, and the
  // shard is closed again then.
  if (!now || process.env.WARMSHARD !== undefined || options.join().includes('enable')) return;
  try {
    early = openProgram(defaultPath(), { profile: profile(), readOnly: false, maxBytes: MAX_BYTES });
  } catch {
    // `program` in state.ts tries again, and reports why it fails.
  }
}

/** The default shard, if it was opened. The caller has to close it. */
export function takeEarly(): ProgramCalls | undefined {
  const opened = early;
  early = undefined;
  return opened;
}

/** The bundles that were loaded since the last call. */
export function takeOwned(): Own[] {
  const taken = owned;
  owned = [];
  return taken;
}

/** Whether the bytecode of one of them is to be recorded. */
export const hasNew = (): boolean => owned.some(({ state }) => state !== 'found');

/**
 * Runs a bundle of this package without the loader, which the program may have changed.
 *
 * @param cache where its bytecode may be
 * @param readOnly whether nothing will be written there
 */
export function bundle(name: string, cache: ProgramCalls | undefined = early, readOnly = false): unknown {
  const file = `${__dirname}/register-${name}.cjs`;
  const script = cache && scriptOf(file, cache, readOnly);
  if (script === undefined) return compile(name);
  const module = { exports: {}, beginning };
  (script.runInThisContext() as Body)(module.exports, require, module, file, __dirname);
  return module.exports;
}

type Body = (...args: unknown[]) => unknown;

function compiled(text: string, file: string, code?: Code): Compiled {
  const functions = compiler();
  if (functions) return new FunctionScript(functions.compile(text, file, Number(code ?? 0)));
  const { Script } = require('node:vm') as typeof import('node:vm');
  return new Script(text, { filename: file, lineOffset: -1, cachedData: code as Buffer | undefined });
}

function scriptOf(file: string, cache: ProgramCalls, readOnly: boolean): Compiled | undefined {
  try {
    const found = cache.load(file);
    if (typeof found === 'string') {
      const code = codeOf(cache);
      if (Number(cache.told[FLAGS]) & ASIDE || !code) return undefined;
      const script = compiled(found, file, code);
      owned.push({ file, script, state: script.cachedDataRejected ? 'rejected' : 'found' });
      return script;
    }
    const text = readOnly ? undefined : cache.read(file, WRAP);
    if (text === undefined) return undefined;
    const script = compiled(text, file);
    owned.push({ file, script, state: 'new' });
    return script;
  } catch {
    return undefined;
  }
}
