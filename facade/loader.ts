// Finds the native binary, for the package and for `warmshard/register`, where it nearly always is: no child process, no
// file read. seldom/search.ts looks everywhere.

import { existsSync } from 'node:fs';

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

/** Where installers put the binary: built in this checkout, or in a platform package below this one or beside it. */
export function usualPlaces(triple: string): [built: string, below: string, beside: string] {
  const file = `warmshard.${triple}.node`;
  const above = `${__dirname}/..`;
  const installed = `@warmshard/${triple}/${file}`;
  return [`${above}/${file}`, `${above}/node_modules/${installed}`, `${above}/../${installed}`];
}

/** What `require` of a binary gives, past its cache, where programs would see it. It finds `given` on its exports. */
export function openBinary<A>(path: string, given?: object): Partial<A> {
  const module = { exports: { ...given } };
  process.dlopen(module, path);
  loadedFrom = path;
  return module.exports;
}

let loadedFrom: string | undefined;

/** Where the addon was loaded from; `undefined` where it was not. */
export function addonPath(): string | undefined {
  return loadedFrom;
}

/** V8 ends the process that would put an addon's objects into a snapshot. */
export function isForSnapshot(): boolean {
  return process.execArgv.some((flag) => flag.startsWith('--build-snapshot'));
}

/**
 * The addon, if the first of those places that has a binary has it. Otherwise nothing is said, and seldom/search.ts is
 * to be asked.
 */
export function loadUsual<A>(isOurs: (found: Partial<A>) => found is A, given: object): A | undefined {
  if (process.env.WARMSHARD_NATIVE_PATH || isForSnapshot()) return undefined;
  // A `dlopen` that fails takes longer than the rest of loading.
  const place = usualPlaces(platformTriple()).find(existsSync);
  if (place === undefined) return undefined;
  try {
    const found = openBinary<A>(place, given);
    if (isOurs(found)) return found;
  } catch {}
  return undefined;
}
