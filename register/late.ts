/** Bundles that are loaded when they are needed. They are none of the program's modules, so they leave no trace. */

import { fs, vm } from './builtins.js';
import { Module } from './node-module.js';

const { apply } = Reflect;
const { readFileSync } = fs;
const compile = Module.prototype._compile;
const loaded = new Map<string, unknown>();

/** Past everything that a program may have put in the way of loading. */
function own(id: string): unknown {
  const name = id.replace('node:', '');
  if (name === 'fs') return fs;
  if (name === 'vm') return vm;
  if (name === 'module') return Module;
  return process.getBuiltinModule?.(id) ?? require(id);
}

/** The path of a bundle. */
export const bundlePath = (name: string): string => `${__dirname}/register-${name}.cjs`;

/** What a bundle's function of its own name gives, called once. */
export function late<K, T>(name: string, kit: K): T {
  let made = loaded.get(name) as T | undefined;
  if (made === undefined) {
    const file = bundlePath(name);
    const holder = new Module(file);
    holder.filename = file;
    holder.require = own;
    apply(compile, holder, [readFileSync(file, 'utf8'), file, 'commonjs']);
    made = (holder.exports as Record<string, (kit: K) => T>)[name]?.(kit) as T;
    loaded.set(name, made);
  }
  return made;
}
