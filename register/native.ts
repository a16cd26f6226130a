/** The addon's functions for the program cache. */

import { type Attempt, load } from '../facade/seldom/search.js';
import { compiler } from './functions.js';
import { bundle } from './opening.js';
import { CODE } from './told.js';

/** Bytecode: bytes, or the number by which the shim's compiler finds it; see functions.ts. */
export type Code = Uint8Array | number;

/** What `open` of the addon's table `program` puts on its target; see src-rs/binding/stores/program.rs. */
export interface ProgramCalls {
  resolve(folder: string, request: string, paths: number): string | undefined;
  /** The text of a module, after filling in `told` (see told.ts); or a negative number. */
  load(path: string): number | string;
  told: Uint32Array;
  /** Bytecode of the module that was loaded last, if modules are scripts. */
  code(): Uint8Array | undefined;
  /** A source map by its number. Each can be taken once. */
  map(number: number): string | undefined;
  read(path: string, wrap: number): string | undefined;
  readModule(path: string): [text: string, traits: number] | undefined;
  replaceText(path: string, text: string, wrap: number): string | undefined;
  record(path: string, told: string, code?: Code, map?: string): number;
  improve(path: string, code: Code, always: number): number;
  recordResolution(folder: string, request: string, paths: number, told: string): number;
  recordSearch(folder: string, identity: string, asked: string, told: string): number;
  noted(name: string): string | undefined;
  note(name: string, text: string): number;
  settle(): void;
  watchEnd(write: () => void, signals: number): void;
  ignoreEnd(): void;
  isLoading(): void;
  publish(): number;
  close(): void;
}

interface ProgramOptions {
  profile: string;
  readOnly: boolean;
  maxBytes?: number;
  root?: string;
  trust?: string;
}

interface Addon {
  functionsOf(table: 'program'): {
    open(path: string, options: ProgramOptions & { functions: boolean }, target: object): void;
  };
}

const isOurs = (found: Partial<Addon>): found is Addon => found.functionsOf !== undefined;

function addon(): Addon {
  const attempts: Attempt[] = [];
  const found = load(attempts, isOurs);
  if (found === undefined) throw (bundle('failure') as typeof import('./failure/index.js')).failure(attempts);
  return found;
}

/**
 * Opens a program cache.
 *
 * @throws if there is no addon for this platform, or the file cannot be used
 */
export function openProgram(file: string, options: ProgramOptions): ProgramCalls {
  const calls = {} as ProgramCalls;
  const { functionsOf } = addon();
  functionsOf('program').open(file, { ...options, functions: compiler() !== undefined }, calls);
  calls.told = new Uint32Array(calls.told as unknown as ArrayBuffer);
  return calls;
}

/** The bytecode of the module that was loaded last. */
export const codeOf = (calls: ProgramCalls): Code | undefined =>
  compiler() === undefined ? calls.code() : calls.told[CODE];
