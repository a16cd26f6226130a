/**
 * The hooks into Node.js' CommonJS loader.
 *
 * None of our functions is on the stack while a module runs or while the loader throws, so that stack traces, messages
 * and exit codes are as without us: what we know is told to the loader before it asks, and where we know nothing, its
 * own functions are called by itself.
 *
 * - `Module._resolveLookupPaths` is the first thing that the loader calls for a request. If the answer is known,
 *   `Module._findPath`, which it reads next, is a function that gives it.
 * - `Module._extensions['.js']` is read when a module is about to be loaded: it is our handler if the module was found
 *   in the shard, or could be compiled so that it can be recorded, and Node.js' own otherwise.
 */

import { isTranspilingOnly } from './aside.js';
import { path, vm } from './builtins.js';
import { esModules, lookAtMain } from './es-modules.js';
import { asMethod, type BodyArguments, type Frames, framesOf } from './frames.js';
import {
  ASIDE,
  ESM,
  IMPORTS,
  isTyped,
  type Kit,
  type Prepared,
  TRANSPILED,
  TYPED,
  TYPED_REQUEST,
} from './kit.js';
import { bundlePath, late } from './late.js';
import type { ProgramCalls } from './native.js';
import { type Handler, type LoadedModule, Module, stateSymbol } from './node-module.js';
import type { Recording } from './recording/index.js';
import { counts, debug, giveUp, isReadOnly, isServed, program } from './state.js';
import { keepMap } from './transpiled.js';
import type { TypeScript } from './typescript/index.js';

const { apply } = Reflect;
const { Script } = vm;
const { compile, findPath, lookupPaths, nodeModulePaths, wrap } = {
  compile: Module.prototype._compile,
  findPath: Module._findPath,
  lookupPaths: Module._resolveLookupPaths,
  nodeModulePaths: Module._nodeModulePaths,
  wrap: Module.wrap,
};
const before = Module.wrapper[0];

/** Characters that Node.js' wrapper puts before a module's source. */
const WRAPPER_LENGTH = '(function (exports, require, module, __filename, __dirname) { '.length;

/** V8's own way of `import()`: Node.js 20 has it too, but loses it with a code cache. */
const major = Number(process.versions.node.split('.')[0]);
const importModuleDynamically =
  major >= 22
    ? (vm.constants as unknown as { USE_MAIN_CONTEXT_DEFAULT_LOADER: number }).USE_MAIN_CONTEXT_DEFAULT_LOADER
    : undefined;

function compileText(text: string, filename: string, cachedData?: Uint8Array): vm.Script {
  return new Script(text, {
    filename,
    columnOffset: -WRAPPER_LENGTH,
    ...(cachedData && { cachedData: cachedData as Buffer }),
    ...(importModuleDynamically !== undefined && {
      importModuleDynamically: importModuleDynamically as never,
    }),
  });
}

/** The module that the loader is about to load, as far as its last request tells. */
let asked: {
  request: string;
  parent: LoadedModule | null | undefined;
  paths: unknown;
  answer: string | undefined;
} = {
  request: '',
  parent: undefined,
  paths: undefined,
  answer: undefined,
};
let executing: symbol | undefined;
let format: symbol | undefined;

function loadingFile(): string | undefined {
  const { request, parent } = asked;
  if (parent === null || parent === undefined) return request.startsWith('/') ? request : undefined;
  const child = parent.children?.[parent.children.length - 1];
  if (child === undefined || child.loaded || child.filename === null) return undefined;
  return executing !== undefined && child[executing] === true ? undefined : child.filename;
}

/** What is known of the file that is about to be loaded. */
let judged: { filename: string; prepared: Prepared | undefined } | undefined;

/** Finds or compiles a module; `undefined` where it is Node.js' to load. */
function prepare(filename: string): Prepared | undefined {
  const cache = program();
  const typed = isTyped(filename);
  // A program of TypeScript needs its transpiler even where nothing can be kept.
  if ((cache === undefined || transpilingOnly) && !typed) return undefined;
  try {
    if (
      Module.prototype._compile !== compile ||
      Module.wrap !== wrap ||
      Module.wrapper[0] !== before ||
      !isServed(filename)
    )
      return undefined;
    makeFrames(cache);
    const found = cache === undefined ? -1 : cache.load(filename);
    if (cache !== undefined && typeof found === 'object') {
      const [flags, text, code, map] = found;
      if (flags & (ESM | IMPORTS)) esModules(kit, (flags & TRANSPILED) !== 0);
      if (flags & (ASIDE | ESM)) {
        counts.aside++;
        debug('aside', filename, 'as before');
        return undefined;
      }
      const script = compileText(text, filename, code);
      if (flags & TRANSPILED) keepMap(filename, map);
      if (script.cachedDataRejected) {
        counts.rejected++;
        debug('rejected', filename, 'V8 refuses its bytecode');
      } else {
        counts.hits++;
        debug('hit', filename);
      }
      const rejected = script.cachedDataRejected === true;
      if (isNewCommand(cache) || (rejected && !isReadOnly()))
        recording().capture.loaded(filename, script, rejected);
      return { filename, script, flags };
    }
    counts.misses++;
    debug('miss', filename, found === -1 ? 'not known' : 'changed');
    if (isReadOnly() && !typed) return undefined;
    if (cache !== undefined) isNewCommand(cache);
    return typed ? kit.typescript().compile(filename) : recording().compiler.compile(filename);
  } catch (error) {
    giveUp(error);
    return undefined;
  }
}

let transpilingOnly = false;
let recorder: Recording | undefined;

/** What records, loaded when there is something to record. */
export function recording(): Recording {
  recorder ??= late<Kit, Recording>('recording', kit);
  return recorder;
}

const kit: Kit = {
  counts,
  program,
  debug,
  giveUp,
  compileText,
  canImport: importModuleDynamically !== undefined,
  isReadOnly,
  isServed,
  inlineMaps: false,
  recording,
  typescript: () => late<Kit, TypeScript>('typescript', kit),
  keepMap,
  esModules: (typed) => esModules(kit, typed),
};

/** Writes what was recorded so far; gives how many entries there were. */
export function publish(): number {
  return recorder?.capture.publish() ?? 0;
}

/** Most commands of one program whose bytecode is taken again. */
const MAX_COMMANDS = 8;

let newCommand: boolean | undefined;

/**
 * Whether this command of this program has not run before: other functions may run, whose bytecode is to be added to
 * what is kept. Told by the program's file, the names of its flags and its first word.
 */
function isNewCommand(cache: ProgramCalls): boolean {
  if (newCommand !== undefined) return newCommand;
  const [, main, ...words] = process.argv;
  newCommand = false;
  if (main === undefined || isReadOnly()) return false;
  const flags = words.filter((word) => word.startsWith('-')).map((word) => word.replace(/=.*/, ''));
  const first = words.find((word) => /^\w[\w:-]{0,31}$/.test(word)) ?? '';
  const command = [first, ...flags.sort()].join(' ').slice(0, 200);
  const name = `commands ${main}`;
  const known = cache.noted(name)?.split('\n') ?? [];
  if (known.length >= MAX_COMMANDS || known.includes(command)) return false;
  newCommand = true;
  recording().capture.note(name, [...known, command].join('\n'));
  return true;
}

let frames: Frames | undefined;
let genuineHandler: Handler | undefined;

/** What runs modules in the loader's place, made for the first of them. */
function makeFrames(cache: ProgramCalls | undefined): void {
  if (frames !== undefined || genuineHandler === undefined) return;
  const name = `frames ${process.version}`;
  let text = cache?.noted(name);
  if (text === undefined) {
    text = recording().learnFrames(genuineHandler, bundlePath('recording'));
    if (!isReadOnly()) recording().capture.note(name, text);
  }
  frames = framesOf(text, begin, end);
  if (importModuleDynamically !== undefined) silenceWarning();
}

/** Node.js calls V8's way of `import()` experimental, once: no program would say so without us. */
function silenceWarning(): void {
  const { emitWarning } = process;
  const silenced = function (this: unknown, warning: unknown, ...rest: unknown[]) {
    if (typeof warning === 'string' && warning.startsWith('vm.USE_MAIN_CONTEXT_DEFAULT_LOADER ')) {
      if (process.emitWarning === silenced) process.emitWarning = emitWarning;
      return;
    }
    apply(emitWarning, this, [warning, ...rest]);
  };
  Object.defineProperty(silenced, 'name', { value: emitWarning.name });
  process.emitWarning = silenced;
}

/** The body of a module that was prepared, and what Node.js calls it with. */
function begin(module: LoadedModule, filename: string): [(...args: BodyArguments) => unknown, BodyArguments] {
  const prepared = judged?.prepared;
  judged = undefined;
  if (prepared?.filename !== filename || frames === undefined)
    throw new Error(`warmshard prepared another module than ${filename}`);
  if (format !== undefined && prepared.flags & TYPED) module[format] ??= 'commonjs';
  const body = prepared.script.runInThisContext() as (...args: BodyArguments) => unknown;
  const require = requireOf(module, frames);
  if (executing !== undefined) module[executing] = true;
  return [body, [module.exports, require, module, filename, path.dirname(filename)]];
}

function end(module: LoadedModule): void {
  if (executing !== undefined) module[executing] = false;
}

/** The `require` of a module, with everything on it that Node.js puts there. */
function requireOf(module: LoadedModule, { makeRequire }: Frames): BodyArguments[1] {
  const require = makeRequire(module) as BodyArguments[1] & Record<string, unknown>;
  // Used by few modules, so it is Node.js' own, made when it is asked for.
  Object.defineProperty(require, 'resolve', {
    configurable: true,
    enumerable: true,
    get() {
      const state = executing && module[executing];
      const genuine = apply(compile, module, [
        'return require',
        module.filename,
        'commonjs',
      ]) as typeof require;
      if (executing !== undefined) module[executing] = state;
      this.resolve = genuine.resolve;
      return genuine.resolve;
    },
    set(value: unknown) {
      Object.defineProperty(this, 'resolve', { configurable: true, enumerable: true, writable: true, value });
    },
  });
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

/** Makes a handler of the loader's answer for itself, once the module is known. */
function hookExtension(extension: string): void {
  const genuine = Module._extensions[extension];
  if (genuine === undefined) return;
  const named = asMethod(genuine, extension);
  let current: Handler | undefined;
  /** For those who keep what they find and call it later, from a hook of their own. */
  const kept: Handler = function (module, filename) {
    const own = Object.hasOwn(module, '_compile');
    judged = { filename, prepared: own ? undefined : prepare(filename) };
    apply(judged.prepared && frames ? frames.handler : genuine, this, [module, filename]);
  };
  Object.defineProperty(Module._extensions, extension, {
    configurable: true,
    enumerable: true,
    get() {
      if (current !== undefined) return current;
      const filename = loadingFile();
      if (filename === undefined) return kept;
      if (judged?.filename !== filename) judged = { filename, prepared: prepare(filename) };
      return judged.prepared && frames ? frames.handler : named;
    },
    set(handler: Handler) {
      current = handler === kept ? undefined : handler;
    },
  });
}

/** Tells the loader where a request leads before it looks. */
function hookResolution(): void {
  let unsettled = false;
  const settled = Promise.resolve();
  Module._resolveLookupPaths = (request, parent) => {
    const paths = lookupPaths(request, parent);
    let answer: string | undefined;
    const folder = parent?.path;
    if (paths !== null && folder && parent.filename && Module._nodeModulePaths === nodeModulePaths) {
      const cache = program();
      const typed = isTyped(parent.filename);
      try {
        answer = cache?.resolve(folder, typed ? request + TYPED_REQUEST : request, paths.length);
      } catch (error) {
        giveUp(error);
      }
      if (answer !== undefined) counts.resolved++;
      else if (typed) answer = kit.typescript().find(request, folder, paths.length);
      if (answer === undefined) {
        counts.searched++;
        if (cache !== undefined && !isReadOnly()) recording().capture.searched(request, parent);
      }
      if (!unsettled) {
        unsettled = true;
        settled.then(() => {
          unsettled = false;
          cache?.settle();
        });
      }
    }
    asked = { request, parent, paths, answer };
    judged = undefined;
    return paths;
  };
  let current = findPath;
  const known: typeof findPath = function (this: unknown, request, paths, ...more) {
    const { answer } = asked;
    if (answer !== undefined && request === asked.request && paths === asked.paths) return answer;
    return apply(findPath, this, [request, paths, ...more]) as string | false;
  };
  Object.defineProperty(Module, '_findPath', {
    configurable: true,
    enumerable: true,
    get: () => (current === findPath && asked.answer !== undefined ? known : current),
    set(value: typeof findPath) {
      current = value === known ? findPath : value;
    },
  });
}

/**
 * Puts the hooks in place.
 *
 * @param self the module of this package, loaded by Node.js itself
 * @param watched whether somebody looks at how the program runs: then only what must be transpiled is ours
 */
export function hookCommonJs(self: LoadedModule, watched: boolean): void {
  const genuine = Module._extensions['.js'];
  // Somebody else's handler is there already: what it makes of sources we cannot know.
  if (genuine === undefined || !/\bmodule\._compile\(/.test(String(genuine))) return;
  executing = stateSymbol(self, 'kIsExecuting');
  format = stateSymbol(self, 'kFormat');
  genuineHandler = genuine;
  transpilingOnly = watched || isTranspilingOnly();
  kit.inlineMaps = watched;
  hookResolution();
  for (const extension of ['.js', '.cjs']) hookExtension(extension);
  lookAtMain(kit);
}
