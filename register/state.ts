/** The options, the cache and the counters of this process. */

import { path as nodePath } from './builtins.js';
import { debug } from './debug.js';
import type { ProgramCalls } from './native.js';
import { defaultPath, MAX_BYTES, openProgram, profile, takeEarly } from './opening.js';

/** The smallest `maxBytes`: an empty shard fits, with some entries. */
const MIN_BYTES = 64 << 10;

/** Options of `enable`. */
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

/** What is wrong with these options; `undefined` if nothing is. */
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

/** Applies options: the shard is closed, and the next module opens the one that they name. */
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

/** Why the cache is not used any more; `undefined` if it is. */
export function closedBecause(): string | undefined {
  return closed;
}

/** Ends the use of the cache in this process, because a cache that fails must not stop the program. */
export function giveUp(reason: unknown): void {
  closed = reason instanceof Error ? reason.message : String(reason);
  // The prefix of debug output, on every line of the message.
  debug('off', shownPath(), closed.replaceAll('\n', '\nwarmshard: '));
  try {
    takeEarly()?.close();
    cache?.close();
  } catch {}
  cache = undefined;
}

/** The path of the shard. Throws if there is no place for it. */
export function path(): string {
  return options.path ?? defaultPath();
}

/** The path for messages; empty if there is no place for the shard. */
export function shownPath(): string {
  try {
    return path();
  } catch {
    return '';
  }
}

/** Whether nothing is written to the shard. */
export function isReadOnly(): boolean {
  return options.readOnly === true;
}

/** The cache, opened at the first call; `undefined` if it cannot be used. */
export function program(): ProgramCalls | undefined {
  if (cache !== undefined || closed !== undefined || opening) return cache;
  // The search for the addon may itself request modules.
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

/** Whether the addon is being looked for: requests made meanwhile are not the program's. */
export const isOpening = (): boolean => opening;

/** The cache, if it is open. */
export function openedProgram(): ProgramCalls | undefined {
  return cache;
}

/** Whether a file is served, by `include` and `exclude`. */
export function isServed(file: string): boolean {
  const { include, exclude } = options;
  const matches = (pattern: string | RegExp) =>
    typeof pattern === 'string'
      ? file === pattern || file.startsWith(`${pattern}/`)
      : // Not `test`, which starts where a global pattern has last matched.
        file.search(pattern) !== -1;
  if (exclude?.some(matches)) return false;
  return include === undefined || include.some(matches);
}
