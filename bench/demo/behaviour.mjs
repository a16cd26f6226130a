// Whether a script does the same however V8 came by its bytecode: the source text of its function, which V8 cuts out
// by positions in the bytecode, and what known, pure modules compute.

import { createHash } from 'node:crypto';
import { createRequire, isBuiltin } from 'node:module';
import { dirname } from 'node:path';

/** @typedef {(path: string) => import('node:vm').Script} ScriptOf */

/** @param {import('node:vm').Script} script */
export function textDigest(script) {
  return createHash('sha1').update(String(script.runInThisContext())).digest('base64');
}

const SOURCE = `export enum Kind { A = 1, B = A << 2 }
export class Box<T> { constructor(readonly value: T) {} map<U>(f: (v: T) => U) { return new Box(f(this.value)); } }
export const twice = async (n: number): Promise<number> => (await Promise.resolve(n)) * 2;`;

/**
 * What to do with a module: anything without effects whose result is plain data.
 *
 * @type {Record<string, (exports: any) => unknown>}
 */
const EXERCISES = {
  typescript: (ts) => ({
    javascript: ts.transpileModule(SOURCE, {
      compilerOptions: { target: ts.ScriptTarget.ES2017, module: ts.ModuleKind.CommonJS },
      reportDiagnostics: true,
    }).outputText,
    statements: ts
      .createSourceFile('a.ts', SOURCE, ts.ScriptTarget.Latest)
      .statements.map((/** @type {{ kind: number }} */ s) => ts.SyntaxKind[s.kind]),
  }),
  semver: (semver) => [
    semver.satisfies('2.4.1', '^2.3.0 || >=4'),
    semver.sort(['1.10.0', '1.9.3', '1.10.0-rc.1']),
    semver.inc('1.2.3', 'minor'),
    semver.validRange('>1 <=2.x'),
  ],
  ms: (ms) => [ms('2.5 days'), ms('-3h'), ms(90_000, { long: true })],
  picomatch: (picomatch) => {
    const isMatch = picomatch(['src/**/*.{js,ts}', '!**/*.d.ts']);
    return ['src/a/b.ts', 'src/a.md', 'lib/x.js'].map((path) => isMatch(path));
  },
  'js-yaml': (yaml) => [
    yaml.load('a: [1, 2.5, ~]\nb: &x {c: yes}\nd: *x'),
    yaml.dump({ list: [1, 'two', null] }),
  ],
  acorn: (acorn) =>
    acorn.parse('const f = async (x) => { for await (const y of x) yield_(y); };', { ecmaVersion: 2022 }),
  esprima: (esprima) => esprima.tokenize('var answer = /4+2/g.test(`x`) ? 6 * 7 : "no";'),
  braces: (braces) => braces.expand('file-{a..e..2}-{01..03}.{js,ts}'),
  'blueimp-md5': (md5) => md5('warmshard'),
  lodash: (_) => [
    _.chunk(_.range(7), 3),
    _.groupBy(['one', 'two', 'three'], 'length'),
    _.template('<% for (const x of xs) { %>[<%- x %>]<% } %>')({ xs: ['<', '&'] }),
  ],
  'fast-diff': (diff) => diff('the quick brown fox', 'the slow brown dog'),
  cbor: (cbor) => cbor.decode(cbor.encode({ deep: [1, -1, 1.5, 'text', null, true] })),
};

/**
 * Runs the exercises on modules whose every script, down to the last dependency, comes from `scriptOf`.
 *
 * @param {string} from a file from which packages are resolved
 * @param {ReadonlySet<string>} known the scripts that there are
 * @param {ScriptOf} scriptOf
 * @returns {{ results: Record<string, string>, scripts: number }} results as JSON, by package
 */
export function exercise(from, known, scriptOf) {
  /** @type {Map<string, { exports: unknown }>} */
  const loaded = new Map();
  /** @param {string} parent */
  const requireFrom = (parent) => {
    const real = createRequire(parent);
    return Object.assign(
      (/** @type {string} */ request) => {
        const path = real.resolve(request);
        return isBuiltin(path) || !known.has(path) ? real(request) : load(path);
      },
      { resolve: real.resolve, cache: {}, extensions: {} },
    );
  };
  /** @param {string} path */
  const load = (path) => {
    const done = loaded.get(path);
    if (done) return done.exports;
    const module = { exports: {}, id: path, filename: path, loaded: false, children: [], paths: [] };
    loaded.set(path, module);
    const run = scriptOf(path).runInThisContext();
    run.call(module.exports, module.exports, requireFrom(path), module, path, dirname(path));
    return module.exports;
  };
  const resolve = createRequire(from).resolve;
  /** @type {Record<string, string>} */
  const results = {};
  for (const [name, run] of Object.entries(EXERCISES)) {
    let path;
    try {
      path = resolve(name);
    } catch {
      continue;
    }
    if (known.has(path)) results[name] = JSON.stringify(run(load(path)));
  }
  return { results, scripts: loaded.size };
}
