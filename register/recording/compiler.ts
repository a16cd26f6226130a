/** Compiling modules that are not in the shard as Node.js would, so that they can be recorded. */

import path = require('node:path');

import vm = require('node:vm');

import { ASIDE, type Kit, type Prepared, TYPED } from '../kit.js';
import type { Capture } from './capture.js';
import { typeOf } from './facts.js';

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

/** What stands around a module's text, see src-rs/core/src/stores/program/text.rs. */
const [BEFORE, AFTER] = [`(function (${PARAMETERS.join(', ')}) {\n`, '\n})'];

export class Compiler {
  readonly #kit: Kit;
  readonly #capture: Capture;

  constructor(kit: Kit, capture: Capture) {
    this.#kit = kit;
    this.#capture = capture;
  }

  /** Compiles a CommonJS module; `undefined` for one that is Node.js' to load, as it is from now on. */
  compile(filename: string): Prepared | undefined {
    const { counts, debug, program, compileText, canImport } = this.#kit;
    // What was recorded of it before was another state.
    this.#capture.forget(filename);
    const extension = path.extname(filename);
    const scope = extension === '.cjs' ? { type: 'commonjs', facts: [] } : typeOf(path.dirname(filename));
    const text = scope && program()?.read(filename, 1);
    if (scope === undefined || text === undefined) return undefined;
    const aside = (why: string) => {
      counts.aside++;
      debug('aside', filename, why);
      this.#capture.record(filename, ASIDE, scope.facts);
      return undefined;
    };
    if (extension === '.mjs' || scope.type === 'module') return aside('an ES module');
    if (!canImport && /\bimport\s*\(/.test(text)) return aside('import() on Node.js 20');
    // V8 tells lines otherwise in scripts that name themselves.
    if (text.includes('sourceURL=')) return aside('a source URL');
    let script: vm.Script;
    try {
      if (program()?.mayEnd(filename))
        vm.compileFunction(text.slice(BEFORE.length, -AFTER.length), PARAMETERS);
      script = compileText(text, filename);
    } catch {
      return aside('not a script');
    }
    const flags = scope.type === 'commonjs' ? TYPED : 0;
    this.#capture.record(filename, flags, scope.facts, script);
    return { filename, script, flags };
  }
}
