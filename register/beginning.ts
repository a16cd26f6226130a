/**
 * The state of Node.js' loader before the program began.
 *
 * The hooks are installed when the program requests its first file (see door.ts). By then it may have replaced functions
 * of the loader or changed its environment, so the originals are saved here.
 */

import type { Handler, LoadedModule, ModuleClass } from './node-module.js';

const { argv, env, execArgv } = process;
const getBuiltinModule = process.getBuiltinModule as NodeJS.Require | undefined;
const { isPreloading } = module as unknown as LoadedModule;
// `getBuiltinModule`, if it exists, takes a fifth of the time of `require`.
const fs = (getBuiltinModule ?? require)('node:fs') as typeof import('node:fs');
// A preloaded file is an instance of the loader's own class. Requiring `node:module` would load more code.
const Module = (isPreloading ? module.constructor : require('node:module')) as ModuleClass;
const { _extensions, prototype, _resolveLookupPaths, _findPath, _nodeModulePaths, wrap, wrapper } = Module;

// dist/register.cjs, the one bundle that Node.js itself loads: its module and its path.
const [door, file] = [module as unknown as LoadedModule, __filename];

// The globals that our bundles use. Each bundle takes them from here (scripts/build-js.mjs), because a program's tests may
// replace globals for a while, above all timers, or delete them.
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

/** The loader's original functions, and the state that concerns the whole process. */
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
  // The objects that handlers are bound to: see as-method.ts.
  receivers: [] as object[],
  // What follows is set later. Whether nothing was preloaded ahead of this package.
  isFirst: false,
  // The main module, if it was left to Node.js.
  passed: undefined as string | undefined,
  // Whether the program may have got hold of `registerHooks`; `undefined` until that is watched.
  hooksAsked: undefined as boolean | undefined,
  // Whether the program has read Node.js' own handler of `.js`. If not, it reads `kept`.
  isHandlerSeen: false,
  kept: undefined as Handler | undefined,
};
