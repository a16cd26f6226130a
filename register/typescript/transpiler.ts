/** Which transpiler a project has, and what each of them is asked for. */

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
  /** JSON; empty where each position is that of the source. */
  map: string;
  /** By which name frames tell it, if not by its path. */
  name?: string;
}

export type Transpile = (task: Task) => Transpiled;

/** A transpiler and what decided that it is this one. */
export interface Choice {
  name: 'esbuild' | '@swc/core' | 'node';
  /** The folder of its package. */
  folder: string;
  facts: string[];
}

const choices = new Map<string, Choice>();

/** The nearest package of a name, as a module in a folder would find it. */
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
 * The transpiler for the files of a folder: esbuild, swc, or what Node.js has. Metadata of decorators only swc can make.
 * As a manifest is part of the facts, so is the transpiler's version.
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
