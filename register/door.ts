/**
 * What happens at the start of every program: as little as can be, for V8 takes its time even to read it.
 *
 * A small program may end without a request for a file, and would pay for the addon, the shard and the hooks without
 * having anything of them. So a small main module is left to Node.js, and the rest of this package is loaded when the
 * loader is asked for the first file behind it: inside of `Module._resolveLookupPaths`, where nothing of the program runs.
 */

import { asMethod, nameByValue } from './as-method.js';
import { beginning } from './beginning.js';
import { debug } from './debug.js';
import type { Handler, LoadedModule, ModuleClass } from './node-module.js';
import type { Face } from './rest.js';
import { hasImport, isNodes, isTyped } from './texts.js';

/** Where the one instance of a process is kept: it may be preloaded, and required later, of another copy too. */
const instance = Symbol.for('warmshard/register');

/**
 * The largest main module that is not worth loading everything for, in bytes: V8 takes 0.3 ms for such a one, and loading
 * everything takes 4.
 */
const SMALL_MAIN = 32768;

const smallMain = process.env.WARMSHARD_EAGER ? -1 : SMALL_MAIN;

const { Module, readFileSync, statSync, lookupPaths, handler, isPreloading, main = '' } = beginning;
const home = beginning.home || '/';
const { env } = process;

/** Runs a bundle of this package; past everything that a program may have put in the way of loading. */
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
 * Everything else, with its hooks in place.
 *
 * @param asks whether the program is about to ask for a file, so that the shard is sure to be opened
 */
export function everything(asks = false): Face {
  if (rest === undefined) {
    // On older versions of Node.js it is there once somebody has asked for `node:module`.
    const isUntouched = isPreloading === true && !('registerHooks' in Module);
    const opening = (load('opening') as (given: typeof beginning) => Opening)(beginning);
    opening.begin(load, asks);
    rest = (opening.bundle('rest') as (given: typeof beginning, by: Opening) => Rest)(beginning, opening);
    rest.start({ setLookup, setHandler, watchHooks: () => watchHooks(isUntouched) });
  }
  return rest.face;
}

/** The options of the process, each with a space before it. */
const given = ` ${beginning.execArgv.join(' ')} ${beginning.nodeOptions}`;

/** Whether nothing has run before us. A regular expression would take longer than all else here. */
function isFirst(): boolean {
  const preloaded = given.split(' -r').length + given.split(' --require').length - 2;
  return isPreloading === true && preloaded < 2 && Object.keys(Module._cache).join() === __filename;
}

/** Puts an accessor in the place of a property, or a value that stays until somebody sets another. */
function place(object: object, name: string, how: PropertyDescriptor): void {
  how.configurable = how.enumerable = true;
  Object.defineProperty(object, name, how);
}

const placeValue = (object: object, name: string, value: unknown) =>
  place(object, name, { writable: true, value });

/**
 * Sees to it that it is known whether somebody gets hold of `registerHooks`.
 *
 * @param isUntouched whether nobody can have done so before
 */
function watchHooks(isUntouched: boolean): void {
  // Once it is watched, to read it is to ask for it.
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

let waits = false;
let lookup: Lookup | undefined;

/** Has requests go another way. */
function setLookup(next: Lookup): void {
  lookup = next;
  // The program may have put something before ours, which is to stay there.
  if (!waits) Module._resolveLookupPaths = next;
}

let handlerNow: (() => Handler) | undefined;

/** Has the handler of `.js` be what a function gives, asked each time. */
function setHandler(next: () => Handler): void {
  handlerNow = next;
  // Else it stands there, unless the program has set one of its own.
  if (!waits) standIn();
}

/** Puts an accessor in the handler's place. While a module is loaded it has to stay one: V8 names frames by it. */
const standIn = () => place(Module._extensions, '.js', { get: readHandler, set: writeHandler });

const restoreHandler = (value: Handler) => placeValue(Module._extensions, '.js', value);

/** What somebody has set by our accessor, and may read by it still, from behind one of his own (nyc's). */
let written: Handler | undefined;

/** Node.js' own, for the loader. */
let named: Handler | undefined;

function readHandler(): Handler | undefined {
  if (written !== undefined) return written;
  // Yarn's Plug'n'Play loads modules past the loader's requests, out of archives: all of them are Node.js' and its own.
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

/** Whoever sets a handler has it from now on; those that it calls on are ours, if it has found them here. */
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

/** Whether the program imports, and all that it needs so far is switched on. */
let importsOnly = false;

/** Whether what is about to be loaded is left to Node.js, and nobody reads its handler but the loader. */
let isLeaf = false;

/** Whether a program that imports ES modules can do without the rest, until a CommonJS module asks for another. */
function canImport(): boolean {
  try {
    importsOnly = smallMain > 0 && (load('importing') as typeof import('./importing/index.js')).importing();
  } catch {}
  return importsOnly;
}

/** Whether a file that no CommonJS module asks for is Node.js' to load: the main module, or one that is imported. */
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
    // One that loads ES modules has their cache switched on before it runs.
    if (imports && hasImport(text) && !canImport()) return false;
    beginning.passed = request;
  } else {
    if (imports || text.includes('require')) return false;
    // The loader of ES modules puts it there before it is loaded.
    isLeaf = Module._cache[request]?.loaded !== true;
  }
  debug('aside', request, 'small');
  return true;
}

function onRequest(request: string, parent?: LoadedModule | null): string[] | null {
  if (lookup !== undefined) return lookup(request, parent);
  if (!parent && isPassed(request)) return lookupPaths(request, parent);
  lookup = lookupPaths;
  try {
    everything(true);
  } catch {
    // The bundle is gone, or there is no descriptor to read it by: the program has to do without.
  }
  // There is nothing to serve, so the accessor goes: V8 would have no name for Node.js' own handler behind it.
  if (
    handlerNow === undefined &&
    Object.getOwnPropertyDescriptor(Module._extensions, '.js')?.get === readHandler
  )
    restoreHandler(handler as Handler);
  return lookup(request, parent);
}

/** No request for the main module: it is an ES module, which no hook into CommonJS sees, and is loaded later than this. */
function lookForMain(): void {
  if (process.mainModule === undefined && beginning.passed === undefined && !canImport()) everything();
}

/** Whether the program may start without us, for now. */
function mayWait(): boolean {
  if (!isPreloading || beginning.getBuiltinModule === undefined || env.WARMSHARD !== undefined) return false;
  if (env.NODE_V8_COVERAGE || env.NODE_PRESERVE_SYMLINKS || env.NODE_PRESERVE_SYMLINKS_MAIN) return false;
  // A folder of ours may be told from one that the program leaves.
  if (env.WATCH_REPORT_DEPENDENCIES || home[0] !== '/') return false;
  if (isTyped(main)) return false;
  // Somebody else's handler is there already.
  if (!isNodes(handler)) return false;
  // Options with which Node.js starts programs as ever. Of all others the rest knows more.
  const unusual = / --(?!require\b|max[-_]|no[-_]warnings\b|no[-_]deprecation\b|enable[-_]source[-_]maps\b)/;
  return !(given.includes(' --') && unusual.test(given));
}

/** Gives the one instance of the process; the first is it. */
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
  } else if (env.WARMSHARD !== '0') everything();
  // What was loaded before the program is none of its modules.
  if (isPreloading) delete Module._cache[__filename];
  return face;
}
