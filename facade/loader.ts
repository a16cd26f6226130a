// Finds the native binary in the places where it nearly always is, for the package and for `warmshard/register`, without
// starting a process or reading a file. seldom/search.ts looks everywhere.

import { existsSync } from 'node:fs';

/** The platform as it is in the name of a platform package: `linux-x64-musl`, for example. */
export function platformTriple(): string {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  // glibc's loader has a fixed path. A musl system has no file there, unless a compatibility layer has put one there.
  const musl =
    existsSync(`/lib/ld-musl-${arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`) &&
    !existsSync(arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2');
  return `${platform}-${arch}-${musl ? 'musl' : 'gnu'}`;
}

/** Where the binary usually is: built in this checkout, or in a platform package below this package or beside it. */
export function usualPlaces(triple: string): [built: string, below: string, beside: string] {
  const file = `warmshard.${triple}.node`;
  const above = `${__dirname}/..`;
  const installed = `@warmshard/${triple}/${file}`;
  return [`${above}/${file}`, `${above}/node_modules/${installed}`, `${above}/../${installed}`];
}

/** Loads a binary like `require`, but past its cache, where programs would see it. It finds `given` on its exports. */
export function openBinary<A>(path: string, given?: object): Partial<A> {
  const module = { exports: { ...given } };
  process.dlopen(module, path);
  loadedFrom = path;
  return module.exports;
}

let loadedFrom: string | undefined;

/** Where the addon was loaded from; `undefined` if it was not. */
export function addonPath(): string | undefined {
  return loadedFrom;
}

/** Whether a startup snapshot is built: V8 ends the process if an addon's objects would be in it. */
export function isForSnapshot(): boolean {
  return process.execArgv.some((flag) => flag.startsWith('--build-snapshot'));
}

/**
 * The addon, from the first of those places that has a file. `undefined`, without an error, if there is none or it cannot
 * be used: then seldom/search.ts looks everywhere.
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
