import { platformTriple } from '../facade/platform.js';
import { fs, nodeModule, path } from './builtins.js';

/** What the addon puts on the target of `NativeProgram.open`; see src-rs/binding/stores/program.rs. */
export interface ProgramCalls {
  resolve(folder: string, request: string, paths: number): string | undefined;
  load(path: string): number | [flags: number, text: string, code: Uint8Array, map: string];
  read(path: string, wrap: number): string | undefined;
  replaceText(path: string, text: string, wrap: number): string | undefined;
  record(path: string, told: string, code?: Uint8Array, map?: string): number;
  improve(path: string, code: Uint8Array, always: number): number;
  recordResolution(folder: string, request: string, paths: number, told: string): number;
  noted(name: string): string | undefined;
  note(name: string, text: string): number;
  settle(): void;
  publish(): number;
}

interface NativeProgram {
  close(): void;
}

interface Addon {
  NativeProgram: {
    open(
      path: string,
      options: { profile: string; readOnly: boolean; maxBytes?: number; root?: string; trust?: string },
      target: object,
    ): NativeProgram;
  };
}

/** The binary of this platform: a path given by hand, one built in this checkout, or a platform package's. */
function binary(): string {
  const override = process.env.WARMSHARD_NATIVE_PATH;
  if (override) return override;
  const triple = platformTriple();
  const built = path.join(__dirname, '..', `warmshard.${triple}.node`);
  return fs.existsSync(built) ? built : nodeModule.createRequire(__filename).resolve(`@warmshard/${triple}`);
}

/**
 * Opens a program cache. The addon is loaded past the module cache, where programs would see it.
 *
 * @throws where there is no addon for this platform, or the file cannot be used
 */
export function openProgram(
  file: string,
  options: { profile: string; readOnly: boolean; maxBytes?: number; root?: string; trust?: string },
): ProgramCalls & NativeProgram {
  const holder = { exports: {} as Addon };
  process.dlopen(holder, binary());
  const calls = {} as ProgramCalls & NativeProgram;
  const opened = holder.exports.NativeProgram.open(file, options, calls);
  calls.close = () => opened.close();
  return calls;
}
