/**
 * The manifests that decide how a file is compiled. They become facts of its entry, each a character and a path: see
 * src-rs/core/src/stores/program/facts.rs.
 */

import path = require('node:path');

import { beginning } from '../beginning.js';

const { readFileSync, statSync } = beginning;

const manifest = (file: string) => `m${file}`;

const types = new Map<string, { type: string; facts: string[] } | undefined>();

/** Forgets what was read: it may be out of date from now on. */
export function forget(): void {
  types.clear();
}

/** The object in a manifest; `undefined` if there is no such file. Throws if it is damaged. */
function readManifest(file: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    // Most are absent, and an error takes longer than this check.
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  return JSON.parse(text) as Record<string, unknown>;
}

/**
 * What the nearest manifest says about the files in a folder.
 *
 * @returns its `type`, or `none`; `undefined` if a manifest is damaged
 */
export function typeOf(folder: string): { type: string; facts: string[] } | undefined {
  const known = types.get(folder);
  if (known !== undefined || types.has(folder)) return known;
  let answer: { type: string; facts: string[] } | undefined;
  if (folder.endsWith('/node_modules')) answer = { type: 'none', facts: [] };
  else {
    const file = folder === '/' ? '/package.json' : `${folder}/package.json`;
    try {
      const found = readManifest(file);
      if (found !== undefined)
        answer = { type: typeof found.type === 'string' ? found.type : 'none', facts: [manifest(file)] };
      else {
        const above = folder === '/' ? { type: 'none', facts: [] } : typeOf(path.dirname(folder));
        answer = above && { type: above.type, facts: [manifest(file), ...above.facts] };
      }
    } catch {}
  }
  types.set(folder, answer);
  return answer;
}
