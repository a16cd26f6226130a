// The shim: a second binary, for what only V8's own interface can do. It is optional, and for one ABI: docs/fast-door.md.

import { existsSync } from 'node:fs';

/** What it offers. A binary of another version of this package may lack some of it. */
export interface Shim {
  /** Why the fast door stays shut; `undefined` if it can be used. */
  connect(addon: string): string | undefined;
  /** Puts the `FastCalls` on an object. */
  offer(target: object): void;
  /** Puts functions that compile modules on an object. Returns why it cannot; `undefined` if it has. */
  offerCompiler?(target: object, addon: string, reference: () => unknown): string | undefined;
}

/** Builds of Node.js whose V8 lays its objects out in another way, under the same ABI's number. */
const OTHER_LAYOUTS = ['v8_enable_pointer_compression', 'v8_enable_sandbox'];

/** Why this process cannot use it, as far as that is known before it is loaded. */
export function objection(): string | undefined {
  if (process.env.WARMSHARD_FAST === '0') return 'switched off by WARMSHARD_FAST=0';
  const { versions, release, config } = process;
  if (release?.name !== 'node' || versions.electron || versions.bun || versions.deno || versions.nw)
    return 'not for this runtime';
  const variables = (config?.variables ?? {}) as Record<string, unknown>;
  for (const name of OTHER_LAYOUTS)
    if (Number(variables[name] ?? 0) !== 0) return `not for a Node.js built with ${name}`;
  return undefined;
}

/**
 * Loads it from beside the addon.
 *
 * @throws if there is none for this ABI
 */
export function openShim(addon: string): Shim {
  // warmshard.linux-x64-gnu.node -> warmshard-fast.linux-x64-gnu.115.node: one for each ABI of Node.js.
  const file = addon.replace(/([^/\\]*)\.node$/, (_, name: string) => {
    const own = name.replace(/^warmshard/, 'warmshard-fast');
    return `${own}.${process.versions.modules}.node`;
  });
  // Checked first: a `dlopen` that fails takes five times as long, and Electron would look for the file in the archive.
  if (!existsSync(file)) throw new Error(`there is no ${file}`);
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports as Shim;
}
