import { trustedVariable } from '../facade/environment.js';

/** What the addon puts on the target of `NativeProgram.open`; see src-rs/binding/stores/program.rs. */
export interface ProgramCalls {
  resolve(folder: string, request: string, paths: number): string | undefined;
  load(path: string): number | [flags: number, text: string, code: Uint8Array, map: string];
  read(path: string, wrap: number): string | undefined;
  mayEnd(path: string): number;
  replaceText(path: string, text: string, wrap: number): string | undefined;
  record(path: string, told: string, code?: Uint8Array, map?: string): number;
  improve(path: string, code: Uint8Array, always: number): number;
  recordResolution(folder: string, request: string, paths: number, told: string): number;
  kindOf(path: string): number;
  noted(name: string): string | undefined;
  note(name: string, text: string): number;
  settle(): void;
  watchEnd(write: () => void, signals: number): void;
  ignoreEnd(): void;
  publish(): number;
}

interface NativeProgram {
  close(): void;
}

/** A program cache until it is closed. */
export type OpenProgram = ProgramCalls & NativeProgram;

interface Addon {
  NativeProgram: {
    open(
      path: string,
      options: { profile: string; readOnly: boolean; maxBytes?: number; root?: string; trust?: string },
      target: object,
    ): NativeProgram;
  };
}

/** Binaries of this platform, in the order in which they are tried: one built in this checkout, or a platform package's. */
function binaries(): (() => string)[] {
  const override = trustedVariable('WARMSHARD_NATIVE_PATH');
  if (override) return [() => override];
  const { platform, arch } = process;
  const base = `${platform}-${arch}`;
  const packaged = (triple: string) => () => require.resolve(`@warmshard/${triple}`);
  const built = (triple: string) => () => `${__dirname}/../warmshard.${triple}.node`;
  // A binary of the other C library is refused by the linker: no need to look which one this system has.
  const triples = platform === 'linux' ? [`${base}-gnu`, `${base}-musl`] : [base];
  const [first, second] = __dirname.includes('/node_modules/') ? [packaged, built] : [built, packaged];
  return [...triples.map(first), ...triples.map(second)];
}

/** The addon, loaded past the module cache, where programs would see it. */
function addon(): Addon {
  const failures: string[] = [];
  for (const binary of binaries()) {
    try {
      const holder = { exports: {} as Addon };
      process.dlopen(holder, binary());
      return holder.exports;
    } catch (error) {
      failures.push(String((error as Error).message).split('\n', 1)[0] as string);
    }
  }
  throw new Error(`no native binary: ${failures.join('; ')}`);
}

/**
 * Opens a program cache.
 *
 * @throws where there is no addon for this platform, or the file cannot be used
 */
export function openProgram(
  file: string,
  options: { profile: string; readOnly: boolean; maxBytes?: number; root?: string; trust?: string },
): OpenProgram {
  const calls = {} as OpenProgram;
  const opened = addon().NativeProgram.open(file, options, calls);
  calls.close = () => opened.close();
  return calls;
}
