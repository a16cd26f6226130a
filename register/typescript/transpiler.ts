/** Which transpiler a project has, and the interface through which each of them is used. */

import fs = require('node:fs');
import path = require('node:path');

import type { CompilerOptions } from './tsconfig.js';

/** What is to be transpiled, and to what. */
export interface Task {
  source: string;
  filename: string;
  /** Whether the result is an ES module; CommonJS otherwise. */
  esm: boolean;
  options: CompilerOptions;
  /** Whether `import()` may stay: it becomes `require` otherwise. */
  canImport: boolean;
}

export interface Transpiled {
  code: string;
  /** JSON; empty if all positions are those of the source. */
  map: string;
  /** The name that frames show, if it is not the path. */
  name?: string;
}

export type Transpile = (task: Task) => Transpiled;

/** A transpiler, and the facts that decided for it. */
export interface Choice {
  name: 'esbuild' | '@swc/core' | 'node';
  /** The folder of its package. */
  folder: string;
  facts: string[];
}

const choices = new Map<string, Choice>();

/** The folder of a package, as a module in `folder` would find it. */
function nearest(name: string, folder: string, facts: string[]): string | undefined {
  for (let above = folder; ; above = path.dirname(above)) {
    if (path.basename(above) !== 'node_modules') {
      const found = path.join(above, 'node_modules', name);
      const manifest = path.join(found, 'package.json');
      facts.push(`m${manifest}`);
      if (fs.existsSync(manifest)) return found;
    }
    if (path.dirname(above) === above) return undefined;
  }
}

/**
 * The transpiler for the files of a folder: esbuild, swc, or what Node.js has. Only swc can make metadata of decorators.
 * The facts include the manifest of the package, and so the transpiler's version.
 */
export function transpilerOf(folder: string, { emitDecoratorMetadata = false }: CompilerOptions): Choice {
  const key = `${emitDecoratorMetadata} ${folder}`;
  const known = choices.get(key);
  if (known !== undefined) return known;
  const names = ['esbuild', '@swc/core'] as const;
  let choice: Choice | undefined;
  const facts: string[] = [];
  for (const name of emitDecoratorMetadata ? [...names].reverse() : names) {
    const found = nearest(name, folder, facts);
    if (found === undefined) continue;
    choice = { name, folder: found, facts };
    break;
  }
  choice ??= { name: 'node', folder: '', facts };
  choices.set(key, choice);
  return choice;
}
