import { type Attempt, load } from '../facade/seldom/search.js';
import { bundle } from './opening.js';

/** What the addon puts on the target of `open` in its table `program`; see src-rs/binding/stores/program.rs. */
export interface ProgramCalls {
  resolve(folder: string, request: string, paths: number): string | undefined;
  load(path: string): number | [flags: number, text: string, code: Uint8Array, map: string];
  read(path: string, wrap: number): string | undefined;
  readModule(path: string): [text: string, traits: number] | undefined;
  replaceText(path: string, text: string, wrap: number): string | undefined;
  record(path: string, told: string, code?: Uint8Array, map?: string): number;
  improve(path: string, code: Uint8Array, always: number): number;
  recordResolution(folder: string, request: string, paths: number, told: string): number;
  recordSearch(folder: string, identity: string, asked: string, told: string): number;
  ask(folder: string, identity: string, asked: string, told: string): void;
  answers(): string;
  noted(name: string): string | undefined;
  note(name: string, text: string): number;
  settle(): void;
  watchEnd(write: () => void, signals: number): void;
  ignoreEnd(): void;
  isLoading(): void;
  publish(): number;
  close(): void;
}

interface Addon {
  functionsOf(table: 'program'): {
    open(
      path: string,
      options: { profile: string; readOnly: boolean; maxBytes?: number; root?: string; trust?: string },
      target: object,
    ): void;
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
 * @throws where there is no addon for this platform, or the file cannot be used
 */
export function openProgram(
  file: string,
  options: { profile: string; readOnly: boolean; maxBytes?: number; root?: string; trust?: string },
): ProgramCalls {
  const calls = {} as ProgramCalls;
  addon().functionsOf('program').open(file, options, calls);
  return calls;
}
