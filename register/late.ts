/** Bundles that are loaded when they are needed. They are none of the program's modules, so they leave no trace. */

const loaded = new Map<string, unknown>();
let load: (name: string) => unknown;

/** Tells how a bundle is run. */
export function loadBy(loader: typeof load): void {
  load = loader;
}

/** The path of a bundle. */
export const bundlePath = (name: string): string => `${__dirname}/register-${name}.cjs`;

/** What a bundle's function of its own name gives, called once. */
export function late<K, T>(name: string, kit: K): T {
  let made = loaded.get(name) as T | undefined;
  if (made === undefined) {
    made = (load(name) as Record<string, (kit: K) => T>)[name]?.(kit) as T;
    loaded.set(name, made);
  }
  return made;
}
