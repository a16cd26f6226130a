/** What a process asks of the cache, and what the cache has done for it. */

import { path as nodePath } from './builtins.js';
import { debug } from './debug.js';
import type { ProgramCalls } from './native.js';
import { defaultPath, MAX_BYTES, openProgram, profile, takeEarly } from './opening.js';

/** Fewest that it may be told to have: those of an empty one, and a little. */
const MIN_BYTES = 64 << 10;

/** See `enable`. */
export interface EnableOptions {
  /**
   * The path of the shard. Default: `programs.shard` in `$WARMSHARD_HOME`, else in `$XDG_CACHE_HOME/warmshard`, else in
   * `~/.cache/warmshard` (`~/Library/Caches/warmshard` on macOS).
   */
  path?: string;
  /** A folder. Paths below it are stored relative to it, so that shard and program can be moved together. Default: none. */
  root?: string;
  /** Files, folders, or patterns of absolute paths: only these are served. Default: all. */
  include?: readonly (string | RegExp)[];
  /** Files, folders, or patterns of absolute paths that are left to Node.js, even if `include` names them. Default: none. */
  exclude?: readonly (string | RegExp)[];
  /** Serve what is in the shard, but write nothing. Default `false`. */
  readOnly?: boolean;
  /** Compaction keeps the shard under this many bytes. Default 512 MiB, at least 64 KiB. */
  maxBytes?: number;
  /**
   * Which shards are used. `'private'` (default): those of this user that nobody else can write to. `'group'`: also those
   * that a group can write to. `'system'`: also those of root that nobody else can write to. Others are not used, and
   * `status().reason` says so.
   */
  trust?: 'private' | 'group' | 'system';
}

/** Counters of this process. */
export interface Counts {
  /** Modules that came from the shard. */
  hits: number;
  /** Modules that were not in the shard, or whose source has changed. */
  misses: number;
  /** Modules that were left to Node.js. */
  aside: number;
  /** Modules whose bytecode V8 rejected; they were compiled from the text in the shard. */
  rejected: number;
  /** Requests that the shard answered. */
  resolved: number;
  /** Requests that Node.js resolved. */
  searched: number;
  /** Entries written. */
  written: number;
}

export const counts: Counts = {
  hits: 0,
  misses: 0,
  aside: 0,
  rejected: 0,
  resolved: 0,
  searched: 0,
  written: 0,
};

const isText = (value: unknown) => typeof value === 'string' && value !== '' && !value.includes('\0');
const isPatterns = (value: unknown) =>
  Array.isArray(value) && value.every((pattern) => isText(pattern) || pattern instanceof RegExp);
const isFlag = (value: unknown) => typeof value === 'boolean';

const CHECKS: Record<keyof EnableOptions, [is: (value: unknown) => boolean, what: string]> = {
  path: [isText, 'a path'],
  root: [isText, 'a path'],
  include: [isPatterns, 'an array of paths and patterns'],
  exclude: [isPatterns, 'an array of paths and patterns'],
  readOnly: [isFlag, 'a boolean'],
  maxBytes: [
    (value) => Number.isSafeInteger(value) && Number(value) >= MIN_BYTES,
    `an integer from ${MIN_BYTES} on`,
  ],
  trust: [
    (value) => ['private', 'group', 'system'].includes(value as string),
    "'private', 'group' or 'system'",
  ],
};

/** What is wrong with options, if anything is. */
export function faultOf(options: unknown): string | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return 'options must be an object';
  for (const [name, value] of Object.entries(options)) {
    const check = CHECKS[name as keyof EnableOptions];
    if (check === undefined) return `there is no option ${name}`;
    if (value !== undefined && !check[0](value)) return `${name} must be ${check[1]}`;
  }
  return undefined;
}

let options: EnableOptions = {};
let isDefault = true;
let cache: ProgramCalls | undefined;
let closed: string | undefined;
let opening = false;

const absolutePattern = (pattern: string | RegExp) =>
  typeof pattern === 'string' ? nodePath.resolve(pattern) : pattern;

/** Takes in how to go on: from the next module on another shard is used, if it is another. */
export function configure(next: EnableOptions): void {
  const { path, root, include, exclude } = next;
  options = { ...next };
  isDefault = Object.keys(next).length === 0;
  if (path !== undefined) options.path = nodePath.resolve(path);
  if (root !== undefined) options.root = nodePath.resolve(root);
  if (include !== undefined) options.include = include.map(absolutePattern);
  if (exclude !== undefined) options.exclude = exclude.map(absolutePattern);
  cache?.close();
  cache = undefined;
  closed = undefined;
}

/** Why nothing is served any more; `undefined` where all is well. */
export function closedBecause(): string | undefined {
  return closed;
}

/** Ends the use of the cache in this process: a cache may forget, but not stop its host. */
export function giveUp(reason: unknown): void {
  closed = reason instanceof Error ? reason.message : String(reason);
  // Every line of it is ours, to whoever reads them.
  debug('off', shownPath(), closed.replaceAll('\n', '\nwarmshard: '));
  try {
    takeEarly()?.close();
    cache?.close();
  } catch {}
  cache = undefined;
}

/** Where the shard is. Throws where there is no place for it. */
export function path(): string {
  return options.path ?? defaultPath();
}

/** The same for people; empty where there is no place for it. */
export function shownPath(): string {
  try {
    return path();
  } catch {
    return '';
  }
}

/** Whether nothing is kept. */
export function isReadOnly(): boolean {
  return options.readOnly === true;
}

/** The cache, opened when it is first asked for; `undefined` where it cannot be. */
export function program(): ProgramCalls | undefined {
  if (cache !== undefined || closed !== undefined || opening) return cache;
  // Finding the addon may itself ask for modules.
  opening = true;
  try {
    const { root, trust, maxBytes = MAX_BYTES } = options;
    const early = takeEarly();
    if (early !== undefined && isDefault) cache = early;
    else early?.close();
    cache ??= openProgram(path(), {
      profile: profile(),
      readOnly: isReadOnly(),
      maxBytes,
      ...(root !== undefined && { root }),
      ...(trust !== undefined && { trust }),
    });
  } catch (error) {
    giveUp(error);
  }
  opening = false;
  return cache;
}

/** Whether the addon is being looked for, so that requests are its own and none of the program's. */
export const isOpening = (): boolean => opening;

/** The cache, if it is open. */
export function openedProgram(): ProgramCalls | undefined {
  return cache;
}

/** Whether a file is to be served. */
export function isServed(file: string): boolean {
  const { include, exclude } = options;
  const matches = (pattern: string | RegExp) =>
    typeof pattern === 'string'
      ? file === pattern || file.startsWith(`${pattern}/`)
      : // Some patterns remember where they found something.
        file.search(pattern) !== -1;
  if (exclude?.some(matches)) return false;
  return include === undefined || include.some(matches);
}
