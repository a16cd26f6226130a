/**
 * ES modules of TypeScript: a bundle of its own, loaded when one is about to be, for hooks cost every module something.
 *
 * The text that a file compiled to comes from the shard, as do the files that its requests lead to.
 */

import path = require('node:path');

import { fileURLToPath, pathToFileURL } from 'node:url';
import { ASIDE, ESM, isTyped, type Kit, TRANSPILED } from '../kit.js';
import type { ProgramCalls } from '../native.js';
import { Module } from '../node-module.js';
import { FLAGS, MAP } from '../told.js';
import { found, known, sought } from './resolution.js';

interface Context {
  parentURL?: string;
  conditions?: string[];
}
interface Resolved {
  url: string;
  format?: string;
  shortCircuit?: boolean;
}
interface Loaded {
  format: string;
  source?: string;
  shortCircuit?: boolean;
}

const withoutQuery = (url: string) => url.replace(/[?#].*$/, '');
const isTypedUrl = (url: string | undefined): url is string =>
  url?.startsWith('file:') === true && isTyped(withoutQuery(url));

/** Whether somebody else runs TypeScript in this program: tsx, which hooks into both loaders at once. */
const isOthers = () => Module._extensions['.ts'] !== undefined;

/** Where a request of a TypeScript file leads; Node.js is asked for everything else. */
function resolve(
  kit: Kit,
  request: string,
  { parentURL, conditions }: Context,
  next: (request: string) => Resolved,
): Resolved {
  // What CommonJS modules ask for is known already, or is looked for by the loader's own means.
  if (!isTypedUrl(parentURL) || isOthers() || conditions?.includes('require')) return next(request);
  if (/^[a-z][a-z+.-]*:|^#|[%?#\\]/i.test(request) || Module.isBuiltin(request)) return next(request);
  const folder = path.dirname(fileURLToPath(withoutQuery(parentURL)));
  const answer = known(kit, request, folder) ?? sought(kit, request, folder);
  if (answer === undefined) {
    const resolved = next(request);
    if (resolved.url.startsWith('file:')) found(kit, request, folder, fileURLToPath(resolved.url));
    return resolved;
  }
  const { href } = pathToFileURL(answer);
  return isTyped(answer) ? { url: href, shortCircuit: true } : next(href);
}

/** What stands in the shard of a file. */
function kept(
  kit: Kit,
  filename: string,
): { flags: number; text: string; map: number; cache: ProgramCalls } | undefined {
  try {
    const cache = kit.program();
    const text = cache?.load(filename);
    if (cache === undefined || typeof text !== 'string') return undefined;
    return { flags: Number(cache.told[FLAGS]), text, map: Number(cache.told[MAP]), cache };
  } catch (error) {
    kit.giveUp(error);
    return undefined;
  }
}

/** The text that a TypeScript file compiles to. */
function load(kit: Kit, url: string, next: () => Loaded): Loaded {
  if (!isTypedUrl(url) || isOthers()) return next();
  const filename = fileURLToPath(withoutQuery(url));
  if (!kit.isServed(filename)) return next();
  const entry = kept(kit, filename);
  if (entry !== undefined) {
    const { flags, text, map, cache } = entry;
    if (flags & ASIDE || !(flags & TRANSPILED)) return next();
    kit.counts.hits++;
    kit.debug('hit', filename);
    kit.keepMap(filename, map, cache);
    return flags & ESM
      ? { format: 'module', source: text, shortCircuit: true }
      : { format: 'commonjs', source: kit.sourceOf(text), shortCircuit: true };
  }
  kit.counts.misses++;
  kit.debug('miss', filename);
  const made = kit.typescript().source(filename);
  return made ? { format: made.esm ? 'module' : 'commonjs', source: made.text, shortCircuit: true } : next();
}

/** Puts the hooks in place. */
export function esm(kit: Kit): unknown {
  return Module.registerHooks?.({
    resolve: (request: string, context: Context, next: (request: string, context: Context) => Resolved) =>
      resolve(kit, request, context, (request) => next(request, context)),
    load: (url: string, context: object, next: (url: string, context: object) => Loaded) =>
      load(kit, url, () => next(url, context)),
  });
}
