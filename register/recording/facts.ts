/**
 * What decides which file a request leads to, and how that file is to be compiled.
 *
 * Node.js asks the file system one question after the other and tells only the answer. For the answer to be kept, the
 * questions are asked once more here, and each that was answered with "no" becomes a fact, as does each manifest that
 * had a say: told as a character and a path, see src-rs/core/src/stores/program/facts.rs.
 */

import fs = require('node:fs');
import path = require('node:path');

import { Module } from '../node-module.js';

/** Where a request leads, and why. */
export interface Answer {
  /** The path that was found, before links are followed. */
  found: string;
  facts: string[];
}

const noFolder = (file: string) => `d${file}`;
const noFile = (file: string) => `f${file}`;
const manifest = (file: string) => `m${file}`;

type Kind = 'file' | 'folder' | undefined;

/** What was looked at, until `forget`: most requests ask for the same paths. */
const kinds = new Map<string, Kind>();
const manifests = new Map<string, Record<string, unknown> | undefined>();

/** Tells what lies at a path: the addon, while requests are recorded, which would look there again. */
let looker: ((file: string) => number) | undefined;

/**
 * What is remembered may be out of date from now on.
 *
 * @param look gives 1 for a file, 2 for a folder; default: Node.js is asked
 */
export function forget(look?: (file: string) => number): void {
  looker = look;
  kinds.clear();
  manifests.clear();
  types.clear();
}

function kindOfStat(file: string): Kind {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? 'file' : stat?.isDirectory() ? 'folder' : undefined;
}

function kindOf(file: string): Kind {
  const known = kinds.get(file);
  if (known !== undefined || kinds.has(file)) return known;
  let kind: Kind;
  try {
    if (looker !== undefined) kind = ([undefined, 'file', 'folder'] as const)[looker(file)];
    else kind = kindOfStat(file);
  } catch {}
  kinds.set(file, kind);
  return kind;
}

/** A manifest's object; `undefined` where there is none, an error where there is one that is damaged. */
function readManifest(file: string): Record<string, unknown> | undefined {
  if (manifests.has(file)) return manifests.get(file);
  let text: string | undefined;
  try {
    // Most are absent, and an error takes longer than a look.
    if (kindOf(file) === 'file') text = fs.readFileSync(file, 'utf8');
  } catch {}
  const manifest = text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  manifests.set(file, manifest);
  return manifest;
}

const types = new Map<string, { type: string; facts: string[] } | undefined>();

/**
 * What the nearest manifest says of the files in a folder.
 *
 * @returns its `type`, `none` without one; `undefined` where a manifest is damaged
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

/** A file at a path, with an extension, or in a folder of that name: the first that there is. */
function fileAt(
  base: string,
  request: string,
  extensions: readonly string[],
  facts: string[],
): string | undefined {
  const first = (paths: string[]) =>
    paths.find((file) => {
      if (kindOf(file) === 'file') return true;
      facts.push(noFile(file));
      return false;
    });
  const withExtensions = (file: string) => extensions.map((extension) => file + extension);
  // With a slash or dots at its end a request means a folder.
  if (!/(^|\/)(\.{1,2})?$/.test(request)) {
    const found = first([base, ...withExtensions(base)]);
    if (found !== undefined) return found;
  }
  if (kindOf(base) !== 'folder') return undefined;
  const own = `${base}/package.json`;
  facts.push(manifest(own));
  const main = readManifest(own)?.main;
  if (typeof main === 'string' && main !== '') {
    const target = path.resolve(base, main);
    const found = first([target, ...withExtensions(target), ...withExtensions(`${target}/index`)]);
    // Node.js warns of a main that is not there, each time.
    return found;
  }
  return first(withExtensions(`${base}/index`));
}

/** The file of a package's `exports`, told by where the canonical file lies in it. */
function exported(folder: string, real: string): string | undefined {
  const realFolder = fs.realpathSync(folder);
  return real.startsWith(`${realFolder}/`) ? folder + real.slice(realFolder.length) : undefined;
}

/**
 * Why a request leads to a file.
 *
 * @param request as a module asks
 * @param folder of the module that asks
 * @param paths where Node.js looks for it
 * @param real the canonical path that it has found
 * @param extensions that were tried: the program may have added some since
 * @returns `undefined` where it cannot be told: then it is not to be kept
 */
export function whyFound(
  request: string,
  folder: string,
  paths: readonly string[],
  real: string,
  extensions: readonly string[] = Object.keys(Module._extensions),
): Answer | undefined {
  const facts: string[] = [];
  try {
    if (/^\.{0,2}\//.test(request) || request === '.' || request === '..') {
      const found = fileAt(path.resolve(folder, request), request, extensions, facts);
      return found === undefined ? undefined : { found, facts };
    }
    const name = /^(@[^/]+\/)?[^/]+/.exec(request)?.[0];
    if (name === undefined || request.startsWith('#')) return undefined;
    for (const place of paths) {
      if (kindOf(place) !== 'folder') {
        facts.push(noFolder(place));
        continue;
      }
      const own = `${place}/${name}/package.json`;
      facts.push(manifest(own));
      const declared = readManifest(own)?.exports;
      const found =
        declared === undefined || declared === null
          ? fileAt(path.resolve(place, request), request, extensions, facts)
          : exported(`${place}/${name}`, real);
      if (found !== undefined) return { found, facts };
      if (declared !== undefined && declared !== null) return undefined;
    }
  } catch {}
  return undefined;
}
