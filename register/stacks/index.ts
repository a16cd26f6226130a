/**
 * Stack traces of transpiled modules. A separate bundle, loaded when one is formatted.
 *
 * Each frame stays as V8 and Node.js write it; only its line and column are replaced by those of the source.
 */

import nodeModule = require('node:module');

import { fileURLToPath, pathToFileURL } from 'node:url';
import { type LoadedModule, Module } from '../node-module.js';

type Prepare = (error: Error, sites: NodeJS.CallSite[]) => unknown;

/** What this bundle gets. */
export interface StacksKit {
  /** The source map of a file, as JSON. */
  mapOf(filename: string): string | undefined;
  /** What would format a stack without warmshard. */
  previous: Prepare;
}

/** What this bundle offers. */
export interface Stacks {
  prepare: Prepare;
  /** Called for an uncaught error: makes Node.js show the line of the source that threw it. */
  showSource(error: unknown): void;
}

/** Node.js forgets a source map when its module is collected. */
const keptFor: LoadedModule[] = [];

/** Gives Node.js a source map, which it takes only from the text of a module. */
function tellMap(filename: string, map: string): void {
  (process as { setSourceMapsEnabled?: (on: boolean) => void }).setSourceMapsEnabled?.(true);
  const encoded = Buffer.from(
    JSON.stringify({ ...JSON.parse(map), sources: [pathToFileURL(filename).href] }),
  );
  const told = new Module(filename);
  told.filename = filename;
  told._compile(
    `//# sourceMappingURL=data:application/json;base64,${encoded.toString('base64')}`,
    filename,
    'commonjs',
  );
  keptFor.push(told);
}

export function stacks({ mapOf: textOf, previous }: StacksKit): Stacks {
  const parsed = new Map<string, nodeModule.SourceMap | undefined>();

  function mapOf(name: string | null | undefined): nodeModule.SourceMap | undefined {
    if (!name) return undefined;
    if (parsed.has(name)) return parsed.get(name);
    let map: nodeModule.SourceMap | undefined;
    try {
      const text = textOf(name.startsWith('file:') ? fileURLToPath(name) : name);
      map = text === undefined ? undefined : new nodeModule.SourceMap(JSON.parse(text));
    } catch {}
    parsed.set(name, map);
    return map;
  }

  function mapped(site: NodeJS.CallSite): string | undefined {
    const name = site.getFileName();
    const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
    const map = mapOf(name);
    if (map === undefined || line === null || column === null) return undefined;
    const found = map.findEntry(line - 1, column - 1);
    if (!('originalLine' in found)) return undefined;
    const frame = String(site);
    const place = `${name}:${line}:${column}`;
    const at = frame.lastIndexOf(place);
    if (at < 0) return undefined;
    const original = `${name}:${found.originalLine + 1}:${found.originalColumn + 1}`;
    return frame.slice(0, at) + original + frame.slice(at + place.length);
  }

  function prepare(error: Error, sites: NodeJS.CallSite[]): unknown {
    const frames = sites.map(mapped);
    const head = previous(error, []);
    if (typeof head !== 'string' || frames.every((frame) => frame === undefined))
      return previous(error, sites);
    // Other files may have source maps that `previous` applies.
    const lines = frames.map((frame, i) =>
      frame === undefined
        ? String(previous(error, sites.slice(i, i + 1))).slice(head.length)
        : `\n    at ${frame}`,
    );
    return head + lines.join('');
  }

  function showSource(error: unknown): void {
    try {
      const [, first = ''] = String((error as Error).stack).split(/\n\s+at /);
      const name = /(?:^|\()((?:file:|\/)[^\n]*?):\d+:\d+\)?(?:\n|$)/.exec(first)?.[1] ?? '';
      const filename = name.startsWith('file:') ? fileURLToPath(name) : name;
      const map = textOf(filename);
      if (map !== undefined) tellMap(filename, map);
    } catch {}
  }

  return { prepare, showSource };
}
