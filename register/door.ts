/**
 * What runs at the start of every program. It is kept small, because V8 needs time even to parse it.
 *
 * A small program may end without requesting a file, and would pay for the addon, the shard and the hooks in vain. So a
 * small main module is left to Node.js, and the rest of this package is loaded at its first request for a file: inside
 * `Module._resolveLookupPaths`, where no code of the program runs.
 */

import { asMethod, nameByValue } from './as-method.js';
import { beginning } from './beginning.js';
import { debug } from './debug.js';
import type { Handler, LoadedModule, ModuleClass } from './node-module.js';
import type { Face } from './rest.js';
import { hasImport, isNodes, isTyped } from './texts.js';

/** Where a process keeps its one instance: the package may be preloaded and required again, even from another copy. */
const instance = Symbol.for('warmshard/register');

/**
 * The largest main module that is not worth loading everything for, in bytes: V8 compiles it in 0.3 ms, and loading
 * everything takes 4 ms.
 */
const SMALL_MAIN = 32768;

const smallMain = process.env.WARMSHARD_EAGER ? -1 : SMALL_MAIN;

const { Module, readFileSync, statSync, lookupPaths, handler, isPreloading, main = '' } = beginning;
const home = beginning.home || '/';
const { env } = process;

/** Runs a bundle of this package with the loader's original functions, which the program may have replaced. */
function load(name: string): unknown {
  const file = `${__dirname}/register-${name}.cjs`;
  const holder = Object.assign(new Module(file), { beginning });
  holder.filename = file;
  holder.require = beginning.getBuiltinModule ?? require;
  Reflect.apply(beginning.compile, holder, [beginning.readFileSync(file, 'utf8'), file, 'commonjs']);
  return holder.exports;
}

type Opening = typeof import('./opening.js');
type Rest = typeof import('./rest.js');

let rest: Rest | undefined;

/**
 * Loads everything else and installs the hooks, once.
 *
 * @param asks whether the program is about to request a file, so that the shard will be needed
 */
export function everything(asks = false): Face {
  if (rest === undefined) {
    // In older versions of Node.js `registerHooks` exists only once `node:module` has been required.
    const isUntouched = isPreloading === true && !('registerHooks' in Module);
    const opening = (load('opening') as (given: typeof beginning) => Opening)(beginning);
    opening.begin(load, asks);
    rest = (opening.bundle('rest') as (given: typeof beginning, by: Opening) => Rest)(beginning, opening);
    rest.start({ setLookup, setHandler, watchHooks: () => watchHooks(isUntouched) });
  }
  return rest.face;
}

/** The options of the process, each preceded by a space. */
const given = ` ${beginning.execArgv.join(' ')} ${beginning.nodeOptions}`;

/** Whether nothing was preloaded ahead of this package. A regular expression would be slower than all other code here. */
function isFirst(): boolean {
  const preloaded = given.split(' -r').length + given.split(' --require').length - 2;
  return isPreloading === true && preloaded < 2 && Object.keys(Module._cache).join() === __filename;
}

/** Defines a property as an accessor or as a value, visible and replaceable like the original. */
function place(object: object, name: string, how: PropertyDescriptor): void {
  how.configurable = how.enumerable = true;
  Object.defineProperty(object, name, how);
}

const placeValue = (object: object, name: string, value: unknown) =>
  place(object, name, { writable: true, value });

/**
 * Notices, by an accessor, if the program gets hold of `registerHooks`.
 *
 * @param isUntouched whether the program cannot have read it before
 */
function watchHooks(isUntouched: boolean): void {
  // It is watched already: reading it below would count as the program's doing.
  if (beginning.hooksAsked !== undefined) return;
  const { registerHooks } = Module;
  if (registerHooks === undefined) return;
  beginning.hooksAsked = !isUntouched;
  place(Module, 'registerHooks', {
    get() {
      beginning.hooksAsked = true;
      return registerHooks;
    },
    set: (value: unknown) => placeValue(Module, 'registerHooks', value),
  });
}

type Lookup = ModuleClass['_resolveLookupPaths'];

/** Whether everything else is loaded at the first request for a file, which `onRequest` notices. */
let waits = false;
let lookup: Lookup | undefined;

/** Makes requests go through `next`. */
function setLookup(next: Lookup): void {
  lookup = next;
  // While waiting, `onRequest` is installed and passes requests on. The program may have wrapped it; its wrapper stays.
  if (!waits) Module._resolveLookupPaths = next;
}

let handlerNow: (() => Handler) | undefined;

/** Makes `next` decide, at each read, which handler of `.js` is read. */
function setHandler(next: () => Handler): void {
  handlerNow = next;
  // While waiting, the accessor is installed already, unless the program has set a handler of its own.
  if (!waits) standIn();
}

/** Makes the handler an accessor. It has to stay one while a module is being loaded, because V8 names frames by it. */
const standIn = () => place(Module._extensions, '.js', { get: readHandler, set: writeHandler });

const restoreHandler = (value: Handler) => placeValue(Module._extensions, '.js', value);

/** The handler that was set through our accessor. An accessor in front of ours, like nyc's, goes on reading it here. */
let written: Handler | undefined;

/** Node.js' own handler as the loader gets it: see as-method.ts. */
let named: Handler | undefined;

function readHandler(): Handler | undefined {
  if (written !== undefined) return written;
  // Yarn's Plug'n'Play loads modules from archives, bypassing the loader's requests, so all modules are left to it.
  const { pnp } = process.versions;
  if (pnp !== undefined) restoreHandler(handler as Handler);
  else if (handlerNow !== undefined) return handlerNow();
  const byLoader = isLeaf || (beginning.passed !== undefined && !isMainRunning());
  isLeaf = false;
  if (pnp !== undefined || byLoader) {
    named ??= asMethod(handler as Handler);
    return named;
  }
  beginning.isHandlerSeen = true;
  return handler;
}

/** The program sets a handler, which is used from now on. It may call the one of ours that was read here before. */
function writeHandler(value: Handler): void {
  written = value === handler || value === beginning.kept ? undefined : value;
  if (written === undefined) return;
  nameByValue();
  const standing = Object.getOwnPropertyDescriptor(Module._extensions, '.js');
  if (standing?.set === writeHandler) restoreHandler(value);
}

function isMainRunning(): boolean {
  const main = process.mainModule as unknown as LoadedModule | undefined;
  if (main === undefined) return true;
  for (const symbol of Object.getOwnPropertySymbols(main))
    if (symbol.description === 'kIsExecuting') return main[symbol] === true;
  return main.loaded;
}

/** Whether the program imports ES modules, and Node.js' compile cache is all that it needs so far. */
let importsOnly = false;

/** Whether the loader is the next to read the handler, for an imported module that is left to Node.js. */
let isLeaf = false;

/**
 * Switches on the compile cache for a program that imports ES modules. Returns whether the program can do without the
 * rest until a CommonJS module requests another.
 */
function canImport(): boolean {
  try {
    importsOnly = smallMain > 0 && (load('importing') as typeof import('./importing/index.js')).importing();
  } catch {}
  return importsOnly;
}

/** Whether a file that no CommonJS module has requested (the main module, or an imported one) is left to Node.js. */
function isPassed(request: string): boolean {
  const isMain = beginning.passed === undefined && request === process.argv[1];
  if (!(isMain || (importsOnly && request[0] === '/')) || isTyped(request)) return false;
  const found = statSync(request, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > smallMain) return false;
  let text: string;
  try {
    text = readFileSync(request, 'latin1');
  } catch {
    return false;
  }
  const imports = text.includes('import');
  if (isMain) {
    // If it may load ES modules, their cache has to be switched on before it runs.
    if (imports && hasImport(text) && !canImport()) return false;
    beginning.passed = request;
  } else {
    if (imports || text.includes('require')) return false;
    // The ES module loader has put it into the cache already, but not loaded it.
    isLeaf = Module._cache[request]?.loaded !== true;
  }
  debug('aside', request, 'small');
  return true;
}

/**
 * The same, but the program runs without warmshard if it fails: a bundle was deleted, must not be read (`--permission`), or
 * no file descriptor is left.
 */
function tryEverything(asks = false): void {
  try {
    everything(asks);
  } catch {}
}

function onRequest(request: string, parent?: LoadedModule | null): string[] | null {
  if (lookup !== undefined) return lookup(request, parent);
  if (!parent && isPassed(request)) return lookupPaths(request, parent);
  lookup = lookupPaths;
  tryEverything(true);
  // If nothing will be served, the accessor goes: V8 would have no name for Node.js' own handler behind it.
  if (
    handlerNow === undefined &&
    Object.getOwnPropertyDescriptor(Module._extensions, '.js')?.get === readHandler
  )
    restoreHandler(handler as Handler);
  return lookup(request, parent);
}

/**
 * Runs after the CommonJS main module was requested, if there is one. Otherwise it is an ES module, which no CommonJS
 * hook sees, and which is loaded later than this.
 */
function lookForMain(): void {
  if (process.mainModule === undefined && beginning.passed === undefined && !canImport()) tryEverything();
}

/** Whether loading everything else can wait for the first request for a file. */
function mayWait(): boolean {
  if (!isPreloading || beginning.getBuiltinModule === undefined || env.WARMSHARD !== undefined) return false;
  if (env.NODE_V8_COVERAGE || env.NODE_PRESERVE_SYMLINKS || env.NODE_PRESERVE_SYMLINKS_MAIN) return false;
  // A relative WARMSHARD_HOME means the folder in which the program starts, which the program may leave.
  if (env.WATCH_REPORT_DEPENDENCIES || home[0] !== '/') return false;
  if (isTyped(main)) return false;
  // Another package has installed its handler already.
  if (!isNodes(handler)) return false;
  // These options do not change how Node.js starts programs. aside.ts decides about all others.
  const unusual = / --(?!require\b|max[-_]|no[-_]warnings\b|no[-_]deprecation\b|enable[-_]source[-_]maps\b)/;
  return !(given.includes(' --') && unusual.test(given));
}

/** Returns the one instance of the process: that of the first call. */
export function open(face: Face): Face {
  const holder = Module as unknown as { [instance]?: Face };
  const first = holder[instance];
  if (first !== undefined) return first;
  Object.defineProperty(Module, instance, { value: face });
  beginning.isFirst = isFirst();
  if (beginning.isFirst && env.WARMSHARD === undefined) watchHooks(true);
  if (mayWait()) {
    waits = true;
    Module._resolveLookupPaths = onRequest;
    standIn();
    if (main !== '') Promise.resolve().then(lookForMain);
  } else if (env.WARMSHARD !== '0') tryEverything();
  // A preloaded file is not one of the program's modules.
  if (isPreloading) delete Module._cache[__filename];
  return face;
}
