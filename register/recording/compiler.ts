/** Compiling modules that are not in the shard as Node.js would, so that they can be recorded. */

import path = require('node:path');

import vm = require('node:vm');

import type { Compiled } from '../compile.js';
import {
  AFTER,
  ASIDE,
  BARE,
  BEFORE,
  ESM,
  hasImport,
  IMPORTS,
  type Kit,
  type Prepared,
  TYPED,
} from '../kit.js';
import type { Capture } from './capture.js';
import { typeOf } from './facts.js';

/** What V8 takes for the name of a script; one that is put together of strings has quotes in it. */
const SOURCE_URL = /\/\/[#@][ \t]sourceURL=[^\s'"`]+[ \t]*$/m;

/** What makes code of strings: an `import()` in it is the script's own. */
const MAKES_CODE = /\beval\s*[()]|\b(?:Async)?(?:Generator)?Function\s*\(/;

/**
 * The same, and whatever may pass on what makes it: V8 tells where such code was made by the lines of the text as it was
 * compiled. Types in comments and `instanceof Function` are none.
 */
const MAY_MAKE_CODE = new RegExp(
  [
    /\beval\s*(?:[^\s\w'"`-]|$)/,
    /\b(?:Async)?(?:Generator)?Function\s*\(|(?<!instanceof\s)\bFunction\s*(?:[),;\]?:]|$)/,
    /[.[]\s*['"`]?constructor['"`\]]{0,2}\s*\)*\s*\(/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'm',
);

/** Words of which it takes one: looking for them is much quicker. */
const mayMakeCode = (text: string): boolean =>
  (text.includes('eval') || text.includes('Function') || text.includes('constructor')) &&
  MAY_MAKE_CODE.test(text);

/** A first line of which nothing is told, neither by an error nor by a stack: empty, a comment, or a directive. */
const QUIET =
  /^[ \t]*(?:\/\/.*|\/\*(?:[^*\n\r\u2028\u2029]|\*(?!\/))*(?:\*\/)?[ \t]*|(['"])use strict\1;?[ \t]*)?\r?\n/;

/** Shapes of a text, as `read` takes them. */
const [UNWRAPPED, OWN_LINE, IN_LINE] = [0, 1, 2];

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
    const { counts, debug, program, compileText, compileBare, canImport, reallyImports } = this.#kit;
    // What was recorded of it before was another state.
    this.#capture.forget(filename);
    const extension = path.extname(filename);
    const scope = extension === '.cjs' ? { type: 'commonjs', facts: [] } : typeOf(path.dirname(filename));
    let text = scope && program()?.read(filename, OWN_LINE);
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
    let script: Compiled;
    let isBare = false;
    try {
      if (program()?.mayEnd(filename))
        vm.compileFunction(text.slice(BEFORE.length, -AFTER.length), PARAMETERS);
      if (mayMakeCode(text)) {
        const source = text.slice(BEFORE.length, -AFTER.length);
        // One that asks for its own function may read the head in its text.
        isBare = !QUIET.test(source) || text.includes('callee');
        text = program()?.read(filename, isBare ? UNWRAPPED : IN_LINE);
        if (text === undefined) return undefined;
      }
      script = (isBare ? compileBare : compileText)(text, filename);
    } catch {
      return aside('not a script');
    }
    const flags = (scope.type === 'commonjs' ? TYPED : 0) | (imports ? IMPORTS : 0) | (isBare ? BARE : 0);
    this.#capture.record(filename, { flags, facts: scope.facts, script });
    return { filename, script, flags };
  }
}
