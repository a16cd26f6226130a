/**
 * The configuration of TypeScript files: the nearest `tsconfig.json`, and what it extends.
 *
 * Every file that was looked for becomes a fact, even if it is absent.
 */

import fs = require('node:fs');
import path = require('node:path');

import { parseJsonc } from './jsonc.js';

/** `compilerOptions`, as far as they decide what a file compiles to. */
export interface CompilerOptions {
  target?: string;
  jsx?: string;
  jsxFactory?: string;
  jsxFragmentFactory?: string;
  jsxImportSource?: string;
  experimentalDecorators?: boolean;
  emitDecoratorMetadata?: boolean;
  useDefineForClassFields?: boolean;
  verbatimModuleSyntax?: boolean;
  importsNotUsedAsValues?: string;
  preserveValueImports?: boolean;
  alwaysStrict?: boolean;
  strict?: boolean;
  baseUrl?: string;
  paths?: Record<string, string[]>;
}

/** The configuration for the files of a folder. */
export interface Config {
  options: CompilerOptions;
  /** The folder to which targets of `paths` are relative. */
  pathsFrom: string;
  /** The files that decided: see facts.ts. */
  facts: string[];
}

/** The longest chain of `extends` that is followed. */
const MAX_EXTENDS = 32;

const configs = new Map<string, Config>();

function read(file: string, facts: string[]): Record<string, unknown> | undefined {
  facts.push(`m${file}`);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const found = parseJsonc(text);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A file's own options. Paths in them are relative to the file. */
function optionsOf(found: Record<string, unknown>, folder: string): CompilerOptions & { pathsFrom?: string } {
  const options = { ...(found.compilerOptions as CompilerOptions) };
  if (typeof options.baseUrl === 'string')
    options.baseUrl = path.resolve(folder, options.baseUrl.replace(/^\$\{configDir\}/, '.'));
  return options.paths ? { ...options, pathsFrom: options.baseUrl ?? folder } : options;
}

/** The file that an `extends` means, and its contents. */
function extended(
  name: string,
  folder: string,
  facts: string[],
): { file: string; found: Record<string, unknown> } | undefined {
  const first = (candidates: string[]) => {
    for (const file of candidates) {
      const found = read(file, facts);
      if (found !== undefined) return { file, found };
    }
    return undefined;
  };
  if (/^\.{0,2}\/|^\.\.?$/.test(name)) {
    const file = path.resolve(folder, name);
    return first(file.endsWith('.json') ? [file] : [`${file}.json`, `${file}/tsconfig.json`]);
  }
  for (let above = folder; ; above = path.dirname(above)) {
    const file = path.join(above, 'node_modules', name);
    const manifest = read(path.join(file, 'package.json'), facts);
    const main = typeof manifest?.tsconfig === 'string' ? [path.join(file, manifest.tsconfig)] : [];
    const found = first([
      ...main,
      ...(name.endsWith('.json') ? [file] : [`${file}.json`, `${file}/tsconfig.json`]),
    ]);
    if (found !== undefined || above === path.dirname(above)) return found;
  }
}

function chain(
  file: string,
  found: Record<string, unknown>,
  facts: string[],
  depth: number,
): CompilerOptions & { pathsFrom?: string } {
  const folder = path.dirname(file);
  const parents = Array.isArray(found.extends) ? found.extends : [found.extends];
  let options: CompilerOptions & { pathsFrom?: string } = {};
  for (const name of parents) {
    if (typeof name !== 'string' || depth >= MAX_EXTENDS) continue;
    const parent = extended(name, folder, facts);
    if (parent) options = { ...options, ...chain(parent.file, parent.found, facts, depth + 1) };
  }
  return { ...options, ...optionsOf(found, folder) };
}

/** The configuration for the files of a folder. Read once in a process, as Node.js does with manifests. */
export function configOf(folder: string): Config {
  const known = configs.get(folder);
  if (known !== undefined) return known;
  const file = path.join(folder, 'tsconfig.json');
  const facts: string[] = [];
  const found = read(file, facts);
  let config: Config;
  if (found !== undefined) {
    const { pathsFrom = folder, ...options } = chain(file, found, facts, 0);
    config = { options, pathsFrom, facts: [...new Set(facts)] };
  } else if (path.dirname(folder) === folder) config = { options: {}, pathsFrom: folder, facts };
  else {
    const above = configOf(path.dirname(folder));
    config = { ...above, facts: [...facts, ...above.facts] };
  }
  configs.set(folder, config);
  return config;
}
