/**
 * What comes first when a program asks for a file: the addon, the shard, and out of it the bytecode of our own bundles.
 *
 * They are entries as those of any module are: valid as long as the file is as it was, recorded at the end of the run that
 * had to compile them, served with their bytecode from then on. This bundle is the one that has to be compiled each time.
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

/** The text is a module's, see src-rs/core/src/stores/program/text.rs. */
const WRAP = 1;

/** Flag of an entry that says no more than that it is none of ours; see kit.ts. */
const ASIDE = 2;

/** A bundle of ours that came from the shard, or is to be recorded in it. */
export interface Own {
  file: string;
  script: Compiled;
  /** Whether its bytecode was there, was of no use to V8, or was not there. */
  state: 'found' | 'rejected' | 'new';
}

let early: ProgramCalls | undefined;
let owned: Own[] = [];
let compile: (name: string) => unknown;

/**
 * Has bundles be loaded in this way.
 *
 * @param load compiles and runs one
 * @param now whether the default shard is about to be asked
 */
export function begin(load: (name: string) => unknown, now: boolean): void {
  compile = load;
  // With `--enable-source-maps` it is asked about TypeScript only. What else makes us step aside is found later, and then
  // what was opened is closed.
  if (!now || process.env.WARMSHARD !== undefined || options.join().includes('enable')) return;
  try {
    early = openProgram(defaultPath(), { profile: profile(), readOnly: false, maxBytes: MAX_BYTES });
  } catch {
    // Whoever asks for it next is told why.
  }
}

/** The default shard, if it was opened. It is its caller's to close from then on. */
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

/** Whether one of them is to be recorded. */
export const hasNew = (): boolean => owned.some(({ state }) => state !== 'found');

/**
 * Runs a bundle of this package, past everything that a program may have put in the way of loading.
 *
 * @param cache where its bytecode may be
 * @param readOnly whether nothing is kept there
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
