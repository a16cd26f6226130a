/**
 * TypeScript and JSX, transpiled once. A separate bundle, loaded only if something is not in the shard yet.
 *
 * What a file compiles to depends on its source, on `tsconfig.json` and what that extends, on the manifest that decides
 * whether it is an ES module, and on the transpiler. All of these are facts of its entry.
 */

import fs = require('node:fs');
import path = require('node:path');

import type { Compiled } from '../compile.js';
import { ASIDE, ESM, hasImport, IMPORTS, type Kit, NAMED, type Prepared, TRANSPILED, TYPED } from '../kit.js';
import { Module } from '../node-module.js';
import { typeOf } from '../recording/facts.js';
import type { Recording } from '../recording/index.js';
import { explained, failure } from './failure.js';
import { loadTranspiler } from './load.js';
import { type Answer, resolve } from './resolve.js';
import { type Choice, type Task, type Transpiled, transpilerOf } from './transpiler.js';
import { configOf } from './tsconfig.js';

/** What a file was transpiled to. */
interface Made extends Transpiled {
  esm: boolean;
  flags: number;
  facts: string[];
  /** Only of a CommonJS module. */
  script?: Compiled;
}

/** The text of a module, for a loader that compiles it itself. */
export interface Source {
  text: string;
  esm: boolean;
}

/** Whether this Node.js runs TypeScript by itself. */
const strips = Boolean((process.features as { typescript?: unknown }).typescript);

/** JSON in ASCII, so that V8 can read it in place in the shard. */
const ascii = (json: string) =>
  json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** See the head of this file. */
export class TypeScript {
  readonly #kit: Kit;
  /** CommonJS modules that an ES module imports: Node.js' loader asks for their text first, and loads them later. */
  readonly #imported = new Map<string, Made>();

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  /** The recording bundle; `undefined` if nothing can be written. */
  get #recording(): Recording | undefined {
    const { isReadOnly, program, recording } = this.#kit;
    return isReadOnly() || program() === undefined ? undefined : recording();
  }

  /** Where a request of a TypeScript file leads, and the facts. */
  resolve(request: string, folder: string): Answer {
    return resolve(request, folder);
  }

  /** The canonical path of the file that a request means by TypeScript's rules; `undefined` if Node.js has to look. */
  find(request: string, folder: string, paths: number, key: string): string | undefined {
    const { found, facts } = resolve(request, folder);
    if (found === undefined) return undefined;
    const real = this.#realPath(found);
    this.#recording?.capture.resolved(folder, key, paths, [found, real, ...facts]);
    return real;
  }

  /** The canonical path of a file, or the path itself under `--preserve-symlinks`. */
  #realPath(file: string): string {
    if (this.#kit.inlineMaps && /--preserve-symlinks/.test(process.execArgv.join())) return file;
    try {
      return fs.realpathSync(file);
    } catch {
      return file;
    }
  }

  /** Node.js has found the file that an ES module imports: records it with the facts, if it can be recorded. */
  found(request: string, folder: string, real: string, key: string): void {
    const { facts } = resolve(request, folder);
    const asked = [request, ...Module._nodeModulePaths(folder)].join('\0');
    const told = [0, real, Object.keys(Module._extensions), ...facts].join('\0');
    this.#recording?.capture.found(folder, key, asked, told);
  }

  /** Transpiles and compiles a CommonJS module; `undefined` for one that is left to Node.js. */
  compile(filename: string): Prepared | undefined {
    let made: Made | undefined;
    try {
      made = this.#imported.get(filename) ?? this.#make(filename);
      this.#imported.delete(filename);
    } catch (error) {
      return failure(filename, error);
    }
    if (made === undefined) return undefined;
    const { script, flags } = made;
    if (flags & (ESM | IMPORTS)) this.#kit.esModules(true);
    return script && { filename, script, flags };
  }

  /**
   * Transpiles a module for the loader of ES modules.
   *
   * @throws `SyntaxError`
   */
  source(filename: string): Source | undefined {
    let made: Made | undefined;
    try {
      made = this.#make(filename);
    } catch (error) {
      throw new SyntaxError(explained(filename, error).message);
    }
    if (made && !made.esm) this.#imported.set(filename, made);
    return made && { text: made.code, esm: made.esm };
  }

  /** Transpiles a file and records what it became. Throws what the transpiler throws. */
  #make(filename: string): Made | undefined {
    const { counts, debug, program, canImport, keepMap, esModules } = this.#kit;
    const folder = path.dirname(filename);
    const extension = path.extname(filename);
    const scope = /^\.[cm]ts$/.test(extension) ? { type: 'none', facts: [] } : typeOf(folder);
    if (scope === undefined) return undefined;
    // Without a cache it has to run all the same.
    const source = program()?.read(filename, 0) ?? fs.readFileSync(filename, 'utf8');
    const { options, facts: configured } = configOf(folder);
    const choice = transpilerOf(folder, options);
    const facts = [...new Set([...scope.facts, ...configured, ...choice.facts])];
    const aside = (why: string, flags = 0) => {
      counts.aside++;
      debug('aside', filename, why);
      this.#recording?.capture.aside(filename, ASIDE | flags, facts);
      return undefined;
    };
    if (choice.name === 'node' && !this.#canStrip(filename)) return aside('no transpiler for it');
    const esm = extension === '.mts' || scope.type === 'module';
    if (esm && Module.registerHooks === undefined) return aside('an ES module of TypeScript');
    const task = { source, filename, options, canImport };
    const made = this.#transpile(choice, task, esm, scope.type === 'commonjs' || extension === '.cts');
    if (made === undefined) {
      esModules(false);
      return aside('left to Node.js', ESM);
    }
    const flags =
      TRANSPILED |
      (made.esm ? ESM : 0) |
      (made.name ? NAMED : 0) |
      (scope.type === 'commonjs' ? TYPED : 0) |
      (hasImport(made.code) ? IMPORTS : 0);
    const map = made.name ?? ascii(made.map);
    if (!made.name) keepMap(filename, map);
    const { script } = made;
    this.#recording?.capture.record(filename, { flags, facts, map, ...(script && { script }) });
    return { ...made, map, flags, facts };
  }

  /** Whether types in a file are stripped by Node.js, which does not do that in packages. */
  #canStrip(filename: string): boolean {
    return (
      Module.stripTypeScriptTypes !== undefined &&
      /\.[cm]?ts$/.test(filename) &&
      !filename.includes('/node_modules/')
    );
  }

  /**
   * @param esm whether the file is an ES module in any case
   * @param commonjs whether it is CommonJS in any case
   * @returns `undefined` if the file is left to Node.js
   */
  #transpile(
    choice: Choice,
    task: Omit<Task, 'esm'>,
    esm: boolean,
    commonjs: boolean,
  ): (Transpiled & { esm: boolean; script?: Compiled }) | undefined {
    const transpiler = loadTranspiler(choice);
    const transpile = (task: Task): Transpiled => {
      const made = transpiler(task);
      const { code, map } = made;
      if (map === '') return made;
      // For an uncaught error Node.js uses a source map only if the text names one.
      const url = this.#kit.inlineMaps
        ? `data:application/json;base64,${Buffer.from(map).toString('base64')}`
        : `${path.basename(task.filename)}.map`;
      return { code: `${code}\n//# sourceMappingURL=${url}`, map };
    };
    const asEsm = () => {
      const made = transpile({ ...task, esm: true });
      this.#kit.program()?.replaceText(task.filename, made.code, 0);
      return { ...made, esm: true };
    };
    if (esm) return asEsm();
    try {
      const made = transpile({ ...task, esm: false });
      const text =
        this.#kit.program()?.replaceText(task.filename, made.code, 1) ?? this.#kit.asText(made.code);
      return { ...made, esm: false, script: this.#kit.compileText(text, made.name ?? task.filename) };
    } catch (error) {
      // It is no CommonJS. Node.js runs it itself if it can strip types. Otherwise, if nothing else decides what the file
      // is, an `await`, which may be outside of functions, makes it an ES module.
      if (choice.name === 'node' && strips) return undefined;
      if (commonjs || Module.registerHooks === undefined || !/\bawait\b/.test(task.source)) throw error;
      return asEsm();
    }
  }
}

export function typescript(kit: Kit): TypeScript {
  return new TypeScript(kit);
}
