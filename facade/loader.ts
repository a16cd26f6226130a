// Finds the native binary, for the package and for `warmshard/register`: no child process, no file read.

import { existsSync } from 'node:fs';
import { trustedVariable } from './environment.js';

/** `linux-x64-musl`, say: the part of a platform package's name that tells the platform. */
export function platformTriple(): string {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  // glibc's loader has a fixed path; a musl system has none at it, unless a compatibility layer put one there.
  const musl =
    existsSync(`/lib/ld-musl-${arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`) &&
    !existsSync(arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2');
  return `${platform}-${arch}-${musl ? 'musl' : 'gnu'}`;
}

/**
 * Where the binary of this platform may be: a path given by hand, or one built in this checkout, or a platform
 * package, below this one or beside it as installers put it.
 */
export function candidates(triple: string): string[] {
  const override = trustedVariable('WARMSHARD_NATIVE_PATH');
  if (override) return [override];
  const file = `warmshard.${triple}.node`;
  const installed = `@warmshard/${triple}`;
  const built = `${__dirname}/../${file}`;
  // Asking first: a `require` that fails takes as long as one that does not. And one that has to search takes longer
  // than the rest of loading.
  if (existsSync(built)) return [built, installed];
  const below = `${__dirname}/../node_modules/${installed}/${file}`;
  const beside = `${__dirname}/../../${installed}/${file}`;
  const found = [below, beside].filter((path) => existsSync(path));
  return [...found, installed];
}

/** What `require` of a binary gives, past its cache, where programs would see it. */
function openBinary<A>(place: string): Partial<A> {
  const path = /^\/.*\.node$/s.test(place) ? place : resolved(place);
  const module = { exports: {} };
  process.dlopen(module, path);
  loadedFrom = path;
  return module.exports;
}

/** As `require` of this file finds it, also where a bundler has put one of its own in its place. */
const resolved = (name: string): string =>
  (require('node:module') as typeof import('node:module')).createRequire(__filename).resolve(name);

let loadedFrom: string | undefined;

/** Where the addon was loaded from; `undefined` where it was not. */
export function addonPath(): string | undefined {
  return loadedFrom;
}

/** A place where the binary was sought in vain. */
export interface Attempt {
  readonly place: string;
  readonly error: unknown;
}

/**
 * The addon from the first place that has one; what was tried before goes into `attempts`. Where the binary for this C
 * library cannot be had, that for the other one is tried: the guess may be wrong, and the linker refuses what does not fit.
 */
export function load<A>(attempts: Attempt[], isOurs: (found: Partial<A>) => found is A): A | undefined {
  // V8 ends the process that would put an addon's objects into a snapshot.
  if (process.execArgv.some((flag) => flag.startsWith('--build-snapshot'))) {
    attempts.push({ place: 'nowhere', error: 'a startup snapshot is being built' });
    return undefined;
  }
  const triple = platformTriple();
  for (const place of candidates(triple)) {
    const found = tryPlace(place, attempts, isOurs);
    if (found !== undefined) return found;
  }
  const [system, arch, libc] = triple.split('-');
  if (libc === undefined || trustedVariable('WARMSHARD_NATIVE_PATH')) return undefined;
  return tryPlace(`@warmshard/${system}-${arch}-${libc === 'gnu' ? 'musl' : 'gnu'}`, attempts, isOurs);
}

function tryPlace<A>(
  place: string,
  attempts: Attempt[],
  isOurs: (found: Partial<A>) => found is A,
): A | undefined {
  try {
    const found = openBinary<A>(place);
    if (isOurs(found)) return found;
    attempts.push({ place, error: 'not a binary of warmshard' });
  } catch (error) {
    attempts.push({ place, error });
  }
  return undefined;
}
