/**
 * Bytecode deserialised ahead of the program, on a thread, see src-cpp/ahead.cc: for a command whose modules are known from
 * its last run, where the shim for this Node.js is there.
 */

import { addonPath } from '../facade/loader.js';
import { debug } from './debug.js';
import type { ProgramCalls } from './native.js';

interface Shim {
  begin(origin: unknown, codes: readonly Uint8Array[]): boolean;
  take(index: number, text: string, name: string): unknown;
}

/** Fewer modules are not worth a thread. */
const MIN_MODULES = 24;

/** Builds of Node.js whose V8 lays its objects out in another way, under the same ABI's number. */
const OTHER_LAYOUTS = ['v8_enable_pointer_compression', 'v8_enable_sandbox'];

/** Whether this is a Node.js that the shim was built for. */
function isOrdinary(): boolean {
  const { versions, release, config } = process;
  if (release?.name !== 'node' || versions.electron || versions.bun || versions.deno || versions.nw)
    return false;
  const variables = (config?.variables ?? {}) as Record<string, unknown>;
  return OTHER_LAYOUTS.every((name) => Number(variables[name] ?? 0) === 0);
}

/** What a module's script evaluates to; `undefined` where it is not among them, or V8 refuses the bytecode. */
export type Take = (filename: string, text: string, name: string) => unknown;

/**
 * Starts on modules, in the order in which they will be asked for.
 *
 * @param files lines
 * @param origin a function that was compiled as modules are
 */
export function lookAhead(cache: ProgramCalls, files: string, origin: () => unknown): Take | undefined {
  const names = files.split('\n');
  const addon = addonPath();
  if (names.length < MIN_MODULES || !addon?.endsWith('.node') || !isOrdinary()) return undefined;
  const holder = { exports: {} as Shim };
  try {
    // warmshard.linux-x64-gnu.node -> warmshard-fast.linux-x64-gnu.115.node: one for each ABI of Node.js.
    const shim = addon.replace(/warmshard(\.[^/]*)node$/, `warmshard-fast$1${process.versions.modules}.node`);
    process.dlopen(holder, shim);
  } catch {
    return undefined;
  }
  const { begin, take } = holder.exports;
  const places = new Map<string, number>();
  const codes: Uint8Array[] = [];
  for (const name of names) {
    const code = cache.lookAhead(name);
    if (code !== undefined && !places.has(name)) places.set(name, codes.push(code) - 1);
  }
  if (typeof begin !== 'function' || !begin(origin(), codes)) return undefined;
  debug('ahead', String(codes.length), 'modules');
  return (filename, text, name) => {
    const place = places.get(filename);
    places.delete(filename);
    return place === undefined ? undefined : take(place, text, name);
  };
}
