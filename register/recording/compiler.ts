/** Compiles modules that are not in the shard as Node.js would, but so that their bytecode can be taken later. */

import path = require('node:path');

import vm = require('node:vm');

import type { Compiled } from '../compile.js';
import { ASIDE, BARE, ESM, hasImport, IMPORTS, type Kit, type Prepared, TYPED } from '../kit.js';
import type { Capture } from './capture.js';
import { typeOf } from './facts.js';

/** The comment from which V8 takes a script's name. One with quotes is code that writes such a comment. */
const SOURCE_URL = /\/\/[#@][ \t]sourceURL=[^\s'"`]+[ \t]*$/m;

/** The directive of asm.js, not the word in a program that processes such code. */
const USE_ASM = /(?:^|[{;/])[ \t]*(['"])use asm\1[ \t]*(?:[;}]|$)/m;

/** What makes code from strings. An `import()` in such code belongs to the script. */
const MAKES_CODE = /\beval\s*[()]|\b(?:Async)?(?:Generator)?Function\s*\(/;

/** Traits of a source, as bits: see src-rs/core/src/stores/program/traits.rs. */
const [MAY_END, SAYS_IMPORT, MAY_NAME_ITSELF, MAY_MAKE_CODE, IS_BARE, MAY_BE_ASM] = [1, 2, 4, 8, 16, 32];

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

export class Compiler {
  readonly #kit: Kit;
  readonly #capture: Capture;

  constructor(kit: Kit, capture: Capture) {
    this.#kit = kit;
    this.#capture = capture;
  }

  /** Compiles a CommonJS module and has it recorded; `undefined` for one that is left to Node.js. */
  compile(filename: string): Prepared | undefined {
    const { counts, debug, program, compileText, compileBare, sourceOf, canImport, reallyImports } =
      this.#kit;
    // What was recorded before is of another state of the file.
    this.#capture.forget(filename);
    const extension = path.extname(filename);
    const scope = extension === '.cjs' ? { type: 'commonjs', facts: [] } : typeOf(path.dirname(filename));
    const read = scope && program()?.readModule(filename);
    if (scope === undefined || read === undefined) return undefined;
    const [text, traits] = read;
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
    const imports = (traits & SAYS_IMPORT) !== 0 && hasImport(text);
    if (!canImport && ((traits & MAY_MAKE_CODE && MAKES_CODE.test(text)) || (imports && reallyImports(text))))
      return aside('import() on Node.js 20');
    // V8 reports other lines for scripts that name themselves.
    if (traits & MAY_NAME_ITSELF && SOURCE_URL.test(text)) return aside('a source URL');
    // From bytecode it would run as ordinary JavaScript: slower, and without V8's warnings.
    if (traits & MAY_BE_ASM && USE_ASM.test(text)) return aside('asm.js');
    const isBare = (traits & IS_BARE) !== 0;
    let script: Compiled;
    try {
      // Its braces may end the wrapper, so that it compiles although Node.js would refuse the source.
      if (traits & MAY_END && !isBare) vm.compileFunction(sourceOf(text), PARAMETERS);
      script = (isBare ? compileBare : compileText)(text, filename);
    } catch {
      return aside('not a script');
    }
    const flags = (scope.type === 'commonjs' ? TYPED : 0) | (imports ? IMPORTS : 0) | (isBare ? BARE : 0);
    this.#capture.record(filename, { flags, facts: scope.facts, script });
    return { filename, script, flags };
  }
}
