/** Bundles that are loaded on demand. They are not the program's modules and do not appear among them. */

import { bundle } from './opening.js';
import { isReadOnly, openedProgram } from './state.js';

const loaded = new Map<string, unknown>();

/** The path of a bundle. */
export const bundlePath = (name: string): string => `${__dirname}/register-${name}.cjs`;

/** What a bundle offers: the result of the function that it exports under its own name, called once. */
export function late<K, T>(name: string, kit: K): T {
  let made = loaded.get(name) as T | undefined;
  if (made === undefined) {
    const { [name]: make } = bundle(name, openedProgram(), isReadOnly()) as Record<string, (kit: K) => T>;
    made = make?.(kit) as T;
    loaded.set(name, made);
  }
  return made;
}
