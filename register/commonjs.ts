/**
 * The hooks into Node.js' CommonJS loader.
 *
 * Stack traces, messages and exit codes must be the same as without warmshard. So none of our functions is on the stack
 * while the loader throws: what is known is given to the loader before it asks (requests.ts), and where nothing is known,
 * the loader calls its own functions. Those on the stack while a module runs look like the loader's (frames.ts). The
 * loader reads `Module._extensions['.js']` when it is about to load a module: it gets our handler if the module was found
 * in the shard, or was compiled so that it can be recorded, and Node.js' own handler otherwise.
 */

import { asMethod } from './as-method.js';
import { isHeapSmall, isTranspilingOnly } from './aside.js';
import { beginning } from './beginning.js';
import { fs } from './builtins.js';
import { asText, canImport, compileBare, compileText, sourceOf } from './compile.js';
import { debug } from './debug.js';
import { esModules, lookAtMain } from './es-modules.js';
import { type Begun, type BodyArguments, type Frames, framesOf } from './frames.js';
import {
  ASIDE,
  BARE,
  ESM,
  IMPORTS,
  isTyped,
  type Kit,
  NAMED,
  type Prepared,
  TRANSPILED,
  TYPED,
  WAITING,
} from './kit.js';
import { bundlePath, late } from './late.js';
import type { ProgramCalls } from './native.js';
import { type Handler, type LoadedModule, Module, stateSymbol } from './node-module.js';
import { codeOf, compiler, hasNew, takeOwned } from './opening.js';
import { beganAsEver, compilesAsEver, hooksAreAsked, isDiskMocked, loaderIsHooked } from './others.js';
import type { Recording } from './recording/index.js';
import { found, hopelessName, loading, lookupOf, resolveAgain } from './requests.js';
import { requireOf } from './require.js';
import type { Door } from './rest.js';
import type { Scan } from './scan/index.js';
import { counts, giveUp, isReadOnly, isServed, program } from './state.js';
import { isNodes } from './texts.js';
import { FLAGS, MAP } from './told.js';
import { keepMap } from './transpiled.js';
import type { TypeScript } from './typescript/index.js';

const { apply } = Reflect;
const { readFileSync, wrap, wrapperStart } = beginning;

let executing: symbol | undefined;
let format: symbol | undefined;

function learnState(symbol: symbol): void {
  if (symbol.description === 'kFormat') format ??= symbol;
}

/** What `prepare` has returned for the file that is about to be loaded. */
let judged: { filename: string; prepared: Prepared | undefined } | undefined;

/** Finds a module in the shard, or compiles it; `undefined` if it is left to Node.js. */
function prepare(filename: string): Prepared | undefined {
  const typed = isTyped(filename);
  if (transpilingOnly && !typed) return undefined;
  const cache = program();
  // TypeScript has to be transpiled even if nothing can be cached.
  if (cache === undefined && !typed) return undefined;
  try {
    if (
      !compilesAsEver(Module.prototype._compile) ||
      // The loader reads sources with it.
      fs.readFileSync !== readFileSync ||
      isDiskMocked(filename) ||
      (hooksAreAsked() && (genuineHandler === undefined || loaderIsHooked(genuineHandler, learnState))) ||
      Module.wrap !== wrap ||
      Module.wrapper[0] !== wrapperStart ||
      filename === beginning.file ||
      !isServed(filename)
    )
      return undefined;
    makeFrames(cache);
    if (!isFaithful && !typed) return undefined;
    const found = cache === undefined ? -1 : cache.load(filename);
    if (cache !== undefined && typeof found === 'string') {
      // Read at once: the next `load`, also of one of our bundles, overwrites these words.
      const flags = Number(cache.told[FLAGS]);
      const map = Number(cache.told[MAP]);
      const aside = (flags & (ASIDE | ESM)) !== 0;
      const name = flags & NAMED ? String(cache.map(map)) : filename;
      const compile = flags & BARE ? compileBare : compileText;
      // There may be no bytecode: V8 makes none for some scripts.
      const script = aside ? undefined : compile(found, name, codeOf(cache));
      if (flags & WAITING) recording().capture.expect();
      if (flags & (ESM | IMPORTS)) esModules(kit, (flags & TRANSPILED) !== 0);
      if (script === undefined) {
        counts.aside++;
        debug('aside', filename, 'as before');
        return undefined;
      }
      if (flags & TRANSPILED && name === filename) keepMap(filename, map, cache);
      const rejected = script.cachedDataRejected === true;
      if (rejected) {
        counts.rejected++;
        debug('rejected', filename, 'V8 refuses its bytecode');
      } else {
        counts.hits++;
        debug('hit', filename);
      }
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

/** Whether only modules that need a transpiler are served. */
let transpilingOnly = false;

/** Whether this is a worker thread, where Node.js disables `chdir`. Requiring node:worker_threads would load it. */
const isThread = (process.chdir as { disabled?: boolean }).disabled === true;

let recorder: Recording | undefined;

/** The recording bundle, loaded at the first call. */
export function recording(): Recording {
  recorder ??= late<Kit, Recording>('recording', kit);
  return recorder;
}

/** Makes sure that those of our bundles that had to be compiled will be recorded. */
export function keepOwn(): void {
  if (hasNew() && !isReadOnly() && program() !== undefined) recording().capture.expect();
}

const kit: Kit = {
  counts,
  program,
  debug,
  giveUp,
  hopelessName,
  compileText,
  compileBare,
  asText,
  sourceOf,
  resolveAgain,
  inThread: isThread,
  canImport,
  reallyImports: (text) => late<Kit, Scan>('scan', kit)(text),
  isReadOnly,
  isServed,
  inlineMaps: false,
  recording,
  typescript: () => late<Kit, TypeScript>('typescript', kit),
  keepMap,
  takeOwned,
  esModules: (typed) => esModules(kit, typed),
};

/** Writes what was recorded so far; returns the number of entries written. */
export function publish(): number {
  return recorder?.capture.publish() ?? 0;
}

/** How many commands of one program are noted. Bytecode is not taken again for further ones. */
const MAX_COMMANDS = 8;

let newCommand: boolean | undefined;

/**
 * Whether this program has not run this command before. If so, other functions may run, and the bytecode of its modules
 * is taken again. A command is the first word and the names of the flags.
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
/** Whether stack traces will look like those of the loader's own functions. */
let isFaithful = false;
let genuineHandler: Handler | undefined;
let namedHandler: Handler;

/** Makes the functions that run modules in the loader's place, before the first of these modules. */
function makeFrames(cache: ProgramCalls | undefined): void {
  if (frames !== undefined || genuineHandler === undefined) return;
  // In a worker thread the loader does not come from Node.js' snapshot, and its functions have other names.
  const name = `loader ${process.version} ${isThread ? 'thread' : ''}`;
  let text = cache?.noted(name);
  if (!text) {
    text = recording().learnFrames(genuineHandler, bundlePath('recording'));
    // An empty text is not noted: only this program may have changed its loader.
    if (text !== '' && !isReadOnly()) recording().capture.note(name, text);
  }
  isFaithful = text !== '';
  frames = framesOf(text, begin, end);
  const { release, versions } = process;
  // Tells V8 that a program is being loaded. Runtimes like Electron decide about that themselves.
  if (!isThread && release.name === 'node' && versions.electron === undefined && !isHeapSmall())
    cache?.isLoading();
  if (canImport && compiler() === undefined) silenceWarning();
}

/** Suppresses the one warning that V8's way of `import()` is experimental: the program has not asked for it. */
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

/** For the handler: a module's body and its arguments if the module is served, else the arguments for its `_compile`. */
function begin(module: LoadedModule, filename: string): Begun {
  let prepared = judged?.prepared;
  judged = undefined;
  if (prepared?.filename !== filename)
    prepared = compilesAsEver(module._compile) ? prepare(filename) : undefined;
  if (prepared === undefined || frames === undefined)
    return { body: undefined, args: whatIsCompiled(module, filename) };
  if (format !== undefined && prepared.flags & TYPED) module[format] ??= 'commonjs';
  const body = prepared.script.runInThisContext() as (...args: BodyArguments) => unknown;
  const require = requireOf(module, frames.makeRequire(module), executing);
  if (executing !== undefined) module[executing] = true;
  return { body, args: [module.exports, require, module, filename, module.path] };
}

/** The arguments that the loader's own handler passes to a module's `_compile`, found out with a copy of the module. */
function whatIsCompiled(module: LoadedModule, filename: string): unknown[] | undefined {
  // A copy, not an object that inherits from the module: prototypes have other names in stack traces.
  const stand = Object.assign(Object.create(Module.prototype) as LoadedModule, module);
  let told: unknown[] | undefined;
  stand._compile = (...args: unknown[]) => {
    told = args;
  };
  if (genuineHandler !== undefined) apply(genuineHandler, Module._extensions, [stand, filename]);
  Reflect.deleteProperty(stand, '_compile');
  for (const name of Reflect.ownKeys(stand) as (keyof LoadedModule)[])
    if (stand[name] !== module[name]) Reflect.set(module, name, stand[name]);
  return told;
}

function end(module: LoadedModule): void {
  if (executing !== undefined) module[executing] = false;
}

/** The handler of `.js`. If the loader is about to load a module, it is the one for that module. */
function currentHandler(): Handler {
  const genuine = genuineHandler as Handler;
  const module = loading(executing);
  if (module === undefined) {
    if (frames === undefined || beginning.isHandlerSeen) return genuine;
    beginning.kept = frames.kept;
    return frames.kept;
  }
  found();
  const { filename } = module;
  if (judged?.filename !== filename)
    judged = { filename, prepared: compilesAsEver(module._compile) ? prepare(filename) : undefined };
  return judged.prepared && frames ? frames.handler : namedHandler;
}

/**
 * Installs the hooks.
 *
 * @param watched whether the process is left to Node.js except for modules that need a transpiler
 * @param door redirects the loader's requests and handlers
 */
export function hookCommonJs(watched: boolean, { setLookup, setHandler, watchHooks }: Door): void {
  const { door, handler, passed } = beginning;
  // If other functions are installed already, their effect on sources and requests is unknown.
  if (handler === undefined || !isNodes(handler) || !beganAsEver()) return;
  executing = stateSymbol(door, 'kIsExecuting');
  format = stateSymbol(door, 'kFormat');
  watchHooks();
  genuineHandler = handler;
  namedHandler = asMethod(handler);
  transpilingOnly = watched || isTranspilingOnly();
  kit.inlineMaps = watched;
  setLookup(
    lookupOf(kit, transpilingOnly, () => {
      judged = undefined;
    }),
  );
  setHandler(currentHandler);
  if (passed === undefined) lookAtMain(kit);
}
