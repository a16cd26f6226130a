import path = require('node:path');

import { Module } from '../node-module.js';
import { esbuild } from './esbuild.js';
import { strip } from './node-strip.js';
import { swc } from './swc.js';
import type { Choice, Transpile } from './transpiler.js';

const loaded = new Map<string, Transpile>();

/** Loads a package without leaving its modules among those of the program (`require.cache`). */
function requirePackage(folder: string): unknown {
  const before = new Set(Object.keys(Module._cache));
  const holder = new Module(path.join(folder, 'index.js'));
  holder.filename = holder.id;
  holder.paths = Module._nodeModulePaths(folder);
  try {
    return holder.require(folder);
  } finally {
    for (const file of Object.keys(Module._cache)) if (!before.has(file)) delete Module._cache[file];
  }
}

/** The chosen transpiler, loaded at the first call. */
export function loadTranspiler({ name, folder }: Choice): Transpile {
  const key = `${name} ${folder}`;
  let transpile = loaded.get(key);
  if (transpile === undefined) {
    transpile = name === 'node' ? strip : (name === 'esbuild' ? esbuild : swc)(requirePackage(folder));
    loaded.set(key, transpile);
  }
  return transpile;
}
