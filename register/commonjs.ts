/**
 * The hooks into Node.js' CommonJS loader.
 *
 * None of our functions is on the stack while a module runs or while the loader throws, so that stack traces, messages
 * and exit codes are as without us: what we know is told to the loader before it asks (requests.ts), and where we know
 * nothing, its own functions are called by itself. `Module._extensions['.js']` is read when a module is about to be loaded:
 * it is our handler if the module was found in the shard, or could be compiled so that it can be recorded, and Node.js'
 * own otherwise.
 */

import { asMethod } from './as-method.js';
import { isTranspilingOnly } from './aside.js';
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
import { asksTyped, found, hopelessName, identity, loading, lookupOf, resolveAgain } from './requests.js';
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

/** What is known of the file that is about to be loaded. */
let judged: { filename: string; prepared: Prepared | undefined } | undefined;

/** Finds or compiles a module; `undefined` where it is Node.js' to load. */
function prepare(filename: string): Prepared | undefined {
  const typed = isTyped(filename);
  if (transpilingOnly && !typed) return undefined;
  const cache = program();
  // A program of TypeScript needs its transpiler even where nothing can be kept.
  if (cache === undefined && !typed) return undefined;
  try {
    if (
      !compilesAsEver(Module.prototype._compile) ||
      // The loader reads sources by it.
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
      // Told until another module is loaded, be it a bundle of ours.
      const flags = Number(cache.told[FLAGS]);
      const map = Number(cache.told[MAP]);
      const aside = (flags & (ASIDE | ESM)) !== 0;
      // V8 gives no bytecode of some scripts.
      const name = flags & NAMED ? String(cache.map(map)) : filename;
      const compile = flags & BARE ? compileBare : compileText;
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

/** Whether only what must be transpiled is ours. */
let transpilingOnly = false;

/** What threads cannot do says so: asking node:worker_threads would load it. */
const isThread = (process.chdir as { disabled?: boolean }).disabled === true;

let recorder: Recording | undefined;

/** What records, loaded when there is something to record. */
export function recording(): Recording {
  recorder ??= late<Kit, Recording>('recording', kit);
  return recorder;
}

/** Sees to it that bundles of ours are recorded which had to be compiled. */
export function keepOwn(): void {
  if (hasNew() && !isReadOnly() && program() !== undefined) recording().capture.expect();
}

const kit: Kit = {
  counts,
  program,
  debug,
  giveUp,
  identity,
  asksTyped,
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
/** Whether stack traces show what the loader's own functions would. */
let isFaithful = false;
let genuineHandler: Handler | undefined;
let namedHandler: Handler;

/** What runs modules in the loader's place, made for the first of them. */
function makeFrames(cache: ProgramCalls | undefined): void {
  if (frames !== undefined || genuineHandler === undefined) return;
  // A thread's loader does not come out of the runtime's snapshot, and names functions otherwise.
  const name = `loader ${process.version} ${isThread ? 'thread' : ''}`;
  let text = cache?.noted(name);
  if (!text) {
    text = recording().learnFrames(genuineHandler, bundlePath('recording'));
    // What one program made of its loader says nothing of the next one's.
    if (text !== '' && !isReadOnly()) recording().capture.note(name, text);
  }
  isFaithful = text !== '';
  frames = framesOf(text, begin, end);
  const { release, versions } = process;
  // Others than Node.js tell V8 themselves, or have their reasons.
  if (!isThread && release.name === 'node' && versions.electron === undefined) cache?.isLoading();
  if (canImport && compiler() === undefined) silenceWarning();
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

/** What is to be done with a module: its body and what Node.js calls it with, if it is one of ours. */
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

/** What the loader's own handler would call a module's `_compile` with: told by one that stands in for the module. */
function whatIsCompiled(module: LoadedModule, filename: string): unknown[] | undefined {
  // No descendant of it: a prototype has another name in stack traces.
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

/** The handler of `.js`: for the loader that of the module which it is about to load. */
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
 * Puts the hooks in place.
 *
 * @param watched whether somebody looks at how the program runs: then only what must be transpiled is ours
 * @param door has requests and modules go another way
 */
export function hookCommonJs(watched: boolean, { setLookup, setHandler, watchHooks }: Door): void {
  const { door, handler, passed } = beginning;
  // Somebody else's functions are there already: what they make of sources and requests we cannot know.
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
