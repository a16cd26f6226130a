/** Bundles that are loaded when they are needed. They are none of the program's modules, so they leave no trace. */

import { fs, path } from './builtins.js';
import { Module } from './node-module.js';

const { apply } = Reflect;
const compile = Module.prototype._compile;
const loaded = new Map<string, unknown>();

/** The path of a bundle. */
export const bundlePath = (name: string): string => path.join(__dirname, `register-${name}.cjs`);

/** What a bundle's function of its own name gives, called once. */
export function late<K, T>(name: string, kit: K): T {
  let made = loaded.get(name) as T | undefined;
  if (made === undefined) {
    const file = bundlePath(name);
    const holder = new Module(file);
    holder.filename = file;
    apply(compile, holder, [fs.readFileSync(file, 'utf8'), file, 'commonjs']);
    made = (holder.exports as Record<string, (kit: K) => T>)[name]?.(kit) as T;
    loaded.set(name, made);
  }
  return made;
}
