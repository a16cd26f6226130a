/** Node.js' CommonJS loader, with the undocumented parts that are used here. */

import { nodeModule } from './builtins.js';

/** A CommonJS module, as the loader keeps it. */
export interface LoadedModule {
  id: string;
  path: string;
  exports: unknown;
  filename: string | null;
  loaded: boolean;
  children?: LoadedModule[];
  paths?: string[];
  /** Whether the modules of `-r` are being loaded. */
  isPreloading?: boolean;
  require(id: string): unknown;
  _compile(source: string, filename: string, format?: string): unknown;
  [state: symbol]: unknown;
}

/** What `Module._extensions` holds. */
export type Handler = (this: unknown, module: LoadedModule, filename: string) => void;

/** The class of modules, with the parts that packages which hook into loading have long relied on. */
export interface ModuleClass {
  new (id?: string, parent?: LoadedModule | null): LoadedModule;
  prototype: LoadedModule;
  isBuiltin(request: string): boolean;
  wrap(source: string): string;
  wrapper: readonly string[];
  globalPaths: readonly string[];
  _extensions: Record<string, Handler>;
  _cache: Record<string, LoadedModule | undefined>;
  /** The files that were found in this process, by the request and the folders that were searched. */
  _pathCache: Record<string, string | undefined>;
  _nodeModulePaths(folder: string): string[];
  _resolveLookupPaths(request: string, parent?: LoadedModule | null): string[] | null;
  _findPath(request: string, paths: readonly string[], isMain: boolean, ...more: unknown[]): string | false;
  _resolveFilename(request: string, parent?: LoadedModule | null, isMain?: boolean, options?: object): string;
  enableCompileCache?(folder?: string): unknown;
  getCompileCacheDir?(): string | undefined;
  registerHooks?(hooks: object): { deregister(): void };
  stripTypeScriptTypes?(source: string, options: object): string;
}

/** Required, unlike that in beginning.ts, because some newer members exist only after `require('node:module')`. */
export const Module = nodeModule as unknown as ModuleClass;

/** The symbol with this description, under which the loader keeps something about a module. */
export function stateSymbol(module: LoadedModule, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(module).find((symbol) => symbol.description === description);
}
