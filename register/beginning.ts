/**
 * What was so before the program began.
 *
 * The hooks come into place when the program asks for its first file (see door.ts). By then it may have put functions of
 * its own into the loader, or changed its environment: what Node.js had there is kept here.
 */

import type { Handler, LoadedModule, ModuleClass } from './node-module.js';

const { argv, env, execArgv } = process;
const getBuiltinModule = process.getBuiltinModule as NodeJS.Require | undefined;
const { isPreloading } = module as unknown as LoadedModule;
// Where it exists it takes a fifth of what `require` takes.
const fs = (getBuiltinModule ?? require)('node:fs') as typeof import('node:fs');
// That of a preloaded file is the loader's own. Asking for it by name would load more of it.
const Module = (isPreloading ? module.constructor : require('node:module')) as ModuleClass;
const { _extensions, prototype, _resolveLookupPaths, _findPath, _nodeModulePaths, wrap, wrapper } = Module;

// The module of this package that Node.js itself has loaded, and its file.
const [door, file] = [module as unknown as LoadedModule, __filename];

// The names that our bundles use, taken by each of them from here (scripts/build-js.mjs): a program's tests may put others
// in their place for a time, timers above all, or take them away.
const globals = {
  process,
  Buffer,
  Uint8Array,
  Uint16Array,
  ArrayBuffer,
  Array,
  Boolean,
  JSON,
  Map,
  Math,
  Number,
  Object,
  Promise,
  Proxy,
  Reflect,
  RegExp,
  Set,
  String,
  setTimeout,
  clearTimeout,
};

/** The loader's functions as they were, and what decides about the process as a whole. */
export const beginning = {
  door,
  file,
  isPreloading,
  globals,
  Module,
  fs,
  readFileSync: fs.readFileSync,
  statSync: fs.statSync,
  existsSync: fs.existsSync,
  mkdirSync: fs.mkdirSync,
  getBuiltinModule,
  compile: prototype._compile,
  handler: _extensions['.js'],
  lookupPaths: _resolveLookupPaths,
  findPath: _findPath,
  nodeModulePaths: _nodeModulePaths,
  wrap,
  wrapperStart: wrapper[0],
  main: argv[1],
  execArgv: [...execArgv],
  nodeOptions: env.NODE_OPTIONS,
  home: env.WARMSHARD_HOME,
  userCache: env.XDG_CACHE_HOME,
  userHome: env.HOME,
  nodePath: env.NODE_PATH,
  debugging: env.WARMSHARD_DEBUG,
  // What handlers are bound to, so that V8 has a name for them.
  receivers: [] as object[],
  // What follows is set later: whether nothing has run before us; the main module, once it was left to Node.js; whether
  // somebody may have got hold of `registerHooks`, as soon as that is watched; whether the program has seen Node.js' own
  // handler of `.js`, and else the one that it sees.
  isFirst: false,
  passed: undefined as string | undefined,
  hooksAsked: undefined as boolean | undefined,
  isHandlerSeen: false,
  kept: undefined as Handler | undefined,
};
