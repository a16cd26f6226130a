import { existsSync } from 'node:fs';
import { trustedVariable } from '../environment.js';
import type { WarmshardError } from '../errors.js';
import { isForSnapshot, openBinary, platformTriple, usualPlaces } from '../loader.js';
import type { Addon } from '../native.js';

// Finds the native binary wherever it may be, and records what was tried.

/** Where it may be: at `WARMSHARD_NATIVE_PATH`, or else where installers put it or Node.js finds the package. */
export function candidates(triple: string): string[] {
  const override = trustedVariable('WARMSHARD_NATIVE_PATH');
  if (override) return [override];
  const installed = `@warmshard/${triple}`;
  const [built, below, beside] = usualPlaces(triple);
  // Checked first: a `require` that fails takes as long as one that succeeds, and one that has to search takes longer
  // than the rest of loading.
  if (existsSync(built)) return [built, installed];
  return [...[below, beside].filter((path) => existsSync(path)), installed];
}

/** The path that `require` in this file finds, even if a bundler has replaced that function. */
const resolved = (name: string): string =>
  (require('node:module') as typeof import('node:module')).createRequire(__filename).resolve(name);

/** What the addon finds on its exports. */
export interface Given {
  WarmshardError: typeof WarmshardError;
}

/** A place where there was no usable binary. */
export interface Attempt {
  readonly place: string;
  readonly error: unknown;
}

/**
 * The addon from the first place that has one. Failures go into `attempts`. If there is none for this C library, the one
 * for the other is tried: the guess may be wrong, and the linker refuses what does not fit.
 */
export function load<A>(
  attempts: Attempt[],
  isOurs: (found: Partial<A>) => found is A,
  given?: Given,
): A | undefined {
  if (isForSnapshot()) {
    attempts.push({ place: 'nowhere', error: 'a startup snapshot is being built' });
    return undefined;
  }
  const triple = platformTriple();
  for (const place of candidates(triple)) {
    const found = tryPlace(place, attempts, isOurs, given);
    if (found !== undefined) return found;
  }
  const [system, arch, libc] = triple.split('-');
  if (libc === undefined || trustedVariable('WARMSHARD_NATIVE_PATH')) return undefined;
  return tryPlace(`@warmshard/${system}-${arch}-${libc === 'gnu' ? 'musl' : 'gnu'}`, attempts, isOurs, given);
}

function tryPlace<A>(
  place: string,
  attempts: Attempt[],
  isOurs: (found: Partial<A>) => found is A,
  given: Given | undefined,
): A | undefined {
  try {
    const found = openBinary<A>(/^\/.*\.node$/s.test(place) ? place : resolved(place), given);
    if (given !== undefined) complete(found as Partial<Addon>, given);
    if (isOurs(found)) return found;
    attempts.push({ place, error: 'not a binary of warmshard' });
  } catch (error) {
    attempts.push({ place, error });
  }
  return undefined;
}

/** Passes `given` to a binary that did not find it on its exports, because the runtime makes them itself, as Deno does. */
function complete(found: Partial<Addon>, given: Given): void {
  if ('WarmshardError' in found) return;
  found.functionsOf?.('errors')?.madeOf(given.WarmshardError);
  Object.assign(found, given);
}
