/**
 * Stack traces as they are without warmshard.
 *
 * A module from the shard is run by functions of ours instead of Node.js' `Module._compile`, handler of `.js` and
 * `require`. What a program prints when it fails must stay the same. So these three are compiled with the names, lines
 * and columns that they have in the running Node.js. Those are found out once, by running the loader
 * (recording/learn-frames.ts), and noted in the shard.
 */

import { asMethod } from './as-method.js';
import { vm } from './builtins.js';
import type { Handler, LoadedModule } from './node-module.js';
import { compiler } from './opening.js';

const { apply } = Reflect;

/** What a module's body is called with. */
export type BodyArguments = [
  exports: unknown,
  require: (id: string) => unknown,
  module: LoadedModule,
  filename: string,
  dirname: string,
];

/** Positions in the loader: of its calls of a module's body, of `_compile`, and of `mod.require`. */
interface Places {
  body: [line: number, column: number];
  compile: [line: number, column: number];
  require: [line: number, column: number];
  /** Whether the handler has a name of its own, rather than that of the property that holds it. */
  named: boolean;
  loader: string;
  helpers: string;
  /** The text of `require`, and the number of its lines before the one with the call. */
  own: string | undefined;
  ahead: number;
}

function places(text: string): Places | undefined {
  const lines = text.split('\n');
  const [body, compile, require] = lines.slice(0, 3).map((line) => {
    const [file = '', row = '', column = '', name = ''] = line.split(' ');
    return { file, at: [Number(row), Number(column)] as [number, number], name };
  });
  if (!body || !compile || !require || body.file !== compile.file || compile.at[0] <= body.at[0] + 3)
    return undefined;
  const least = [body.at[0] - 4, require.at[0] - 2, require.at[1] - 12, body.at[1] - 1, compile.at[1] - 1];
  if (!least.every((n) => n >= 0)) return undefined;
  const own = lines.slice(3);
  const ahead = own.findIndex((line) => line.indexOf('return mod.require(path);') === require.at[1] - 12);
  const isWhole = ahead > 0 && own[0]?.startsWith('function require(path) {') && own.at(-1)?.trim() === '}';
  return {
    own: isWhole ? own.join('\n') : undefined,
    ahead: isWhole ? ahead : 1,
    body: body.at,
    compile: compile.at,
    require: require.at,
    named: compile.name !== '',
    loader: body.file,
    helpers: require.file,
  };
}

/** What a handler does with a module: it runs a body, or has the module compile itself. */
export type Begun =
  | { body: (...args: BodyArguments) => unknown; args: BodyArguments }
  | { body: undefined; args: unknown[] | undefined };

/** The functions that run modules in the loader's place. */
export interface Frames {
  /** A handler of `.js` that does what `begin` returns, and then calls `end`. */
  handler: Handler;
  /** The same for programs that keep the handler and call it from a hook of their own. */
  kept: Handler;
  /** Makes a module's `require`, without its properties. */
  makeRequire(module: LoadedModule): (id: string) => unknown;
}

/**
 * Makes the functions that run modules.
 *
 * @param text the result of `learnFrames`; if it is empty, stack traces show functions of this package
 * @param begin returns the body of a module and its arguments, or the arguments for its `_compile`
 * @param end called when the body has returned, not when it has thrown
 */
export function framesOf(
  text: string,
  begin: (module: LoadedModule, filename: string) => Begun,
  end: (module: LoadedModule) => void,
): Frames {
  const at = places(text);
  const body = at?.body ?? [5, 14];
  const compile = at?.compile ?? [12, 10];
  const require = at?.require ?? [3, 16];
  // The spelling matters: V8 names functions after the assignments that they are part of.
  const [method, assign, assigned] = at?.named
    ? ['Module.prototype._compile = ', "Module._extensions['.js'] = ", '']
    : ['(', '(', ')'];
  // Strict like the loader, so that a program cannot get a frame's function or receiver. Therefore `_compile` can have a
  // receiver of our own, which holds it so that V8 finds the method's name.
  const loader = `(function (apply, begin, end, keep) { 'use strict'; function Module() {} Module._extensions = {}; const self = new Module();
const hold = (f) => { self._compile = f; }; hold(${method}function(body, args) {
const result =
${' '.repeat(body[1] - 1)}apply(body, args[0], args);
return result; }${assigned});
keep(${assign}function(module, filename) { const { body, args } = begin(module, filename); const { _compile } = body ? self : module; if (args)${'\n'.repeat(compile[0] - body[0] - 2)}${' '.repeat(compile[1] - 1)}apply(_compile, body ? self : module, body ? [body, args] : args);
if (body) end(module); }${assigned}); })`;
  const [ahead, own] = [
    at?.ahead ?? 1,
    at?.own ?? `function require(path) {\n${' '.repeat(require[1] - 12)}return mod.require(path);\n}`,
  ];
  const helpers = `(function () { 'use strict'; return function makeRequireFunction(mod) {
return ${own} }; })`;
  const unknown = 'node:internal/warmshard';
  const functions = compiler();
  const run = <T>(source: string, filename: string, line: number) => {
    const made = functions?.compile(`return ${source}`, filename, 0, line - 1) as (() => T) | undefined;
    if (made !== undefined) return made();
    const { Script } = vm();
    return new Script(source, { filename, lineOffset: line - 1 }).runInThisContext() as T;
  };
  let handler: Handler = () => {};
  run<(...kit: unknown[]) => void>(loader, at?.loader ?? unknown, body[0] - 3)(
    apply,
    begin,
    end,
    (made: Handler) => {
      handler = made;
    },
  );
  const makeRequire = run<() => Frames['makeRequire']>(
    helpers,
    at?.helpers ?? unknown,
    require[0] - ahead - 1,
  )();
  return { handler: asMethod(handler), kept: handler, makeRequire };
}
