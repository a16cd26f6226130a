/**
 * ES modules in TypeScript. A separate bundle, loaded when such a module may be loaded, because its hooks slow down the
 * loading of every module.
 *
 * The output of the transpiler comes from the shard, as do the files that requests lead to.
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

/** Whether another package runs TypeScript in this program (tsx, which hooks into both loaders). */
const isOthers = () => Module._extensions['.ts'] !== undefined;

/** Where a request of a TypeScript file leads. All other requests are passed on to Node.js. */
function resolve(
  kit: Kit,
  request: string,
  { parentURL, conditions }: Context,
  next: (request: string) => Resolved,
): Resolved {
  // Requests of CommonJS modules go on to the loader, and so to requests.ts.
  if (!isTypedUrl(parentURL) || isOthers() || conditions?.includes('require')) return next(request);
  if (/^[a-z][a-z+.-]*:|^#|[%?#\\]/i.test(request) || Module.isBuiltin(request)) return next(request);
  const folder = path.dirname(fileURLToPath(withoutQuery(parentURL)));
  const answer = known(kit, request, folder) ?? sought(kit, request, folder);
  if (answer === undefined) {
    const resolved = next(request);
    if (resolved.url.startsWith('file:'))
      found(kit, request, folder, fileURLToPath(resolved.url), resolved.format);
    return resolved;
  }
  const { href } = pathToFileURL(answer);
  return isTyped(answer) ? { url: href, shortCircuit: true } : next(href);
}

/** The entry of a file in the shard. */
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

/** Registers the hooks. */
export function esm(kit: Kit): unknown {
  return Module.registerHooks?.({
    resolve: (request: string, context: Context, next: (request: string, context: Context) => Resolved) =>
      resolve(kit, request, context, (request) => next(request, context)),
    load: (url: string, context: object, next: (url: string, context: object) => Loaded) =>
      load(kit, url, () => next(url, context)),
  });
}
