/**
 * Where a request of a TypeScript file leads by TypeScript's rules: `./name` is `./name.ts`, a `./name.js` that does not
 * exist is `./name.ts`, and `paths` in `tsconfig.json` are other names for files.
 */

import fs = require('node:fs');
import path = require('node:path');

import { Module } from '../node-module.js';
import { configOf } from './tsconfig.js';

/** An answer, and the facts that decided it, or that there is none: see facts.ts. */
export interface Answer {
  /** The path that was found, before links are followed; absent if Node.js has to look. */
  found?: string;
  facts: string[];
}

/** In the order in which they are tried. */
const EXTENSIONS = ['.ts', '.tsx', '.cts', '.mts', '.jsx'];

/** By the extension of a file that does not exist: those of its source. */
const SOURCES: Record<string, string[]> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.cjs': ['.cts'],
  '.mjs': ['.mts'],
};

/** What is at a path; `undefined` also without the right to look at it. */
function look(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Looks for files, and makes a fact of each that is absent. */
class Search {
  readonly facts: string[] = [];

  #isFile(file: string): boolean {
    if (look(file)?.isFile()) return true;
    this.facts.push(`f${file}`);
    return false;
  }

  #first(base: string, extensions: readonly string[]): string | undefined {
    const extension = extensions.find((extension) => this.#isFile(base + extension));
    return extension === undefined ? undefined : base + extension;
  }

  /** A file by its name, or by the name that it will have when it is compiled. */
  file(base: string): string | undefined {
    const { ext, dir, name } = path.parse(base);
    return (
      this.#first(base, ['']) ??
      this.#first(path.join(dir, name), SOURCES[ext] ?? []) ??
      this.#first(base, [...EXTENSIONS, ...Object.keys(Module._extensions)])
    );
  }

  /** The file that a path means: itself, or one in the folder. */
  at(base: string, request: string): string | undefined {
    const found = /(^|\/)(\.{1,2})?$/.test(request) ? undefined : this.file(base);
    if (found !== undefined) return found;
    if (!look(base)?.isDirectory()) return undefined;
    const manifest = path.join(base, 'package.json');
    this.facts.push(`m${manifest}`);
    let main: unknown;
    try {
      main = JSON.parse(fs.readFileSync(manifest, 'utf8')).main;
    } catch {}
    const target = typeof main === 'string' && main !== '' ? path.resolve(base, main) : undefined;
    return (
      (target && (this.file(target) ?? this.file(path.join(target, 'index')))) ??
      this.file(path.join(base, 'index'))
    );
  }
}

/** The targets of a name in `paths`, by the pattern with the longest prefix. */
function targets(name: string, paths: Record<string, string[]>): string[] {
  let best: { before: number; found: string[] } | undefined;
  for (const [pattern, list] of Object.entries(paths)) {
    const [before = '', after] = pattern.split('*');
    if (after === undefined) {
      if (pattern === name) return list;
    } else if (
      name.length >= before.length + after.length &&
      name.startsWith(before) &&
      name.endsWith(after) &&
      (best === undefined || before.length > best.before)
    ) {
      const middle = name.slice(before.length, name.length - after.length);
      best = { before: before.length, found: list.map((target) => target.replace('*', () => middle)) };
    }
  }
  return best?.found ?? [];
}

/**
 * Where a request leads by TypeScript's rules.
 *
 * @param request as it is in a TypeScript file
 * @param folder of that file
 */
export function resolve(request: string, folder: string): Answer {
  const search = new Search();
  const { facts } = search;
  const answer = (found: string | undefined): Answer => (found === undefined ? { facts } : { found, facts });
  if (/^\.{0,2}\//.test(request) || request === '.' || request === '..')
    return answer(search.at(path.resolve(folder, request), request));
  if (/^#|^[a-z]+:/.test(request) || folder.includes('/node_modules/')) return answer(undefined);
  const { options, pathsFrom, facts: manifests } = configOf(folder);
  facts.push(...manifests);
  const { paths, baseUrl } = options;
  for (const target of paths ? targets(request, paths) : []) {
    const found = search.at(path.resolve(pathsFrom, target), target);
    if (found !== undefined && !/\.d\.[cm]?ts$/.test(found)) return answer(found);
  }
  return answer(baseUrl === undefined ? undefined : search.at(path.resolve(baseUrl, request), request));
}
