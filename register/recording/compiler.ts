/** Compiling modules that are not in the shard as Node.js would, so that they can be recorded. */

import path = require('node:path');

import vm = require('node:vm');

import { AFTER, ASIDE, BEFORE, ESM, hasImport, IMPORTS, type Kit, type Prepared, TYPED } from '../kit.js';
import type { Capture } from './capture.js';
import { typeOf } from './facts.js';

/** What V8 takes for the name of a script; one that is put together of strings has quotes in it. */
const SOURCE_URL = /\/\/[#@][ \t]sourceURL=[^\s'"`]+[ \t]*$/m;

/** What makes code of strings: an `import()` in it is the script's own. */
const MAKES_CODE = /\beval\s*[()]|\b(?:Async)?(?:Generator)?Function\s*\(/;

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

export class Compiler {
  readonly #kit: Kit;
  readonly #capture: Capture;

  constructor(kit: Kit, capture: Capture) {
    this.#kit = kit;
    this.#capture = capture;
  }

  /** Compiles a CommonJS module; `undefined` for one that is Node.js' to load, as it is from now on. */
  compile(filename: string): Prepared | undefined {
    const { counts, debug, program, compileText, canImport, reallyImports } = this.#kit;
    // What was recorded of it before was another state.
    this.#capture.forget(filename);
    const extension = path.extname(filename);
    const scope = extension === '.cjs' ? { type: 'commonjs', facts: [] } : typeOf(path.dirname(filename));
    const text = scope && program()?.read(filename, 1);
    if (scope === undefined || text === undefined) return undefined;
    const aside = (why: string, flags = 0) => {
      counts.aside++;
      debug('aside', filename, why);
      this.#capture.aside(filename, ASIDE | flags, scope.facts);
      return undefined;
    };
    if (extension === '.mjs' || scope.type === 'module') {
      this.#kit.esModules(false);
      return aside('an ES module', ESM);
    }
    const imports = hasImport(text);
    if (!canImport && (MAKES_CODE.test(text) || (imports && reallyImports(text))))
      return aside('import() on Node.js 20');
    // V8 tells lines otherwise in scripts that name themselves.
    if (text.includes('sourceURL=') && SOURCE_URL.test(text)) return aside('a source URL');
    let script: vm.Script;
    try {
      if (program()?.mayEnd(filename))
        vm.compileFunction(text.slice(BEFORE.length, -AFTER.length), PARAMETERS);
      script = compileText(text, filename);
    } catch {
      return aside('not a script');
    }
    const flags = (scope.type === 'commonjs' ? TYPED : 0) | (imports ? IMPORTS : 0);
    this.#capture.record(filename, { flags, facts: scope.facts, script });
    return { filename, script, flags };
  }
}
