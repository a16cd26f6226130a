/**
 * Stack traces as they are without us.
 *
 * A module that comes from the shard is run by functions of ours, where Node.js has `Module._compile`, the handler of
 * `.js` and the module's `require`. What a program prints when it fails must not change by that. So these three stand in
 * scripts that carry the names, lines and columns of the loader that is running: they are asked of it once, by running
 * it, and remembered in the shard.
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

/** Where the loader calls a module's body, where its handler calls `_compile`, and where `require` calls on. */
interface Places {
  body: [line: number, column: number];
  compile: [line: number, column: number];
  require: [line: number, column: number];
  /** Whether V8 has a name for the handler, or tells it by where it is found. */
  named: boolean;
  loader: string;
  helpers: string;
  /** The text of `require`, and how many of its lines are ahead of the one in which it calls on. */
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

/** What a handler does with a module: run a body, or have the module compile itself. */
export type Begun =
  | { body: (...args: BodyArguments) => unknown; args: BodyArguments }
  | { body: undefined; args: unknown[] | undefined };

/** What runs a module, in the loader's place. */
export interface Frames {
  /** A handler of `.js` that does what `begin` says; then `end` is called. */
  handler: Handler;
  /** The same for those who keep what they find and call it later, from a hook of their own. */
  kept: Handler;
  /** Makes the bare `require` of a module. */
  makeRequire(module: LoadedModule): (id: string) => unknown;
}

/**
 * The functions that run modules.
 *
 * @param text what `learnFrames` gave; where it is empty, stack traces show the functions of this package
 * @param begin gives the body of a module and what to call it with, or what to call its `_compile` with
 * @param end told when the body has returned, not when it has thrown
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
  // The spelling matters: V8 takes the names of functions from the assignments in which they stand.
  const [method, assign, assigned] = at?.named
    ? ['Module.prototype._compile = ', "Module._extensions['.js'] = ", '']
    : ['(', '(', ')'];
  // Strict as the loader is: then nobody gets at a frame's function and receiver. So the receiver of `_compile` can be one
  // that holds it, by which V8 finds the method's name.
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
