/**
 * Stack traces of modules that were transpiled: a bundle of its own, loaded when one is formatted.
 *
 * Each frame stays as V8 and Node.js write it; only the place of a frame in such a module is that of its source.
 */

import nodeModule = require('node:module');

import { fileURLToPath } from 'node:url';

type Prepare = (error: Error, sites: NodeJS.CallSite[]) => unknown;

/** What is given to this bundle. */
export interface StacksKit {
  maps: Map<string, string>;
  /** What would format a stack without us. */
  previous: Prepare;
}

export function stacks({ maps, previous }: StacksKit): Prepare {
  const parsed = new Map<string, nodeModule.SourceMap | undefined>();

  function mapOf(name: string | null | undefined): nodeModule.SourceMap | undefined {
    if (!name) return undefined;
    if (parsed.has(name)) return parsed.get(name);
    let map: nodeModule.SourceMap | undefined;
    try {
      const text = maps.get(name.startsWith('file:') ? fileURLToPath(name) : name);
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

  return (error, sites) => {
    const frames = sites.map(mapped);
    const head = previous(error, []);
    if (typeof head !== 'string' || frames.every((frame) => frame === undefined))
      return previous(error, sites);
    // Others may have maps of their own.
    const lines = frames.map((frame, i) =>
      frame === undefined
        ? String(previous(error, sites.slice(i, i + 1))).slice(head.length)
        : `\n    at ${frame}`,
    );
    return head + lines.join('');
  };
}
