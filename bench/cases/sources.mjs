// An artifact of a source file, valid only while the file is unchanged: `ScriptCache.load` compared with the least that a
// program can do without it, which is to stat the file and to look into a Map.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as warmshard from 'warmshard';
import { compete } from '../lib/contenders.mjs';
import { makeValue, uniformOrder } from '../lib/data.mjs';
import { callLoop, walker } from '../lib/loops.mjs';

const ORDER = 200_000;
const NAMES = ['warmshard ScriptCache.load', 'fs.statSync and Map', 'fs.statSync alone'];

/**
 * @typedef {object} ScriptCache
 * @property {(source: string) => Record<string, Uint8Array> | undefined} load
 * @property {(source: string, parts: Record<string, Uint8Array>) => boolean} save
 * @property {() => void} close
 */
const { ScriptCache } =
  /** @type {{ ScriptCache?: { open(path: string, options: object): ScriptCache } }} */ (
    /** @type {unknown} */ (warmshard)
  );

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  if (ScriptCache === undefined) {
    context.notes.push('ScriptCache is not part of this build: its case is left out.');
    return;
  }
  context.progress('validated sources');
  const folder = join(context.root, 'sources');
  mkdirSync(folder);
  const paths = Array.from({ length: context.sizes.sources }, (_, i) => join(folder, `module-${i}.js`));
  for (const path of paths) writeFileSync(path, `exports.path = ${JSON.stringify(path)};\n`);
  const spec = { paths, ms: context.sizes.ms, cache: join(context.root, 'sources.shard') };
  const entrants = NAMES.map((name) => ({ name, spec: { ...spec, name } }));
  const { results } = await compete(context, 'sources', entrants);
  context.add('sources', 'artifact of a source file, validated', 'ns', results.load);
}

/** @param {{ name: string, paths: string[], ms: number, cache: string }} spec */
export async function inChild({ name, paths, ms, cache }) {
  const load = { [NAMES[0] ?? '']: fromCache, [NAMES[1] ?? '']: fromMap, [NAMES[2] ?? '']: statOnly }[name];
  const call = /** @type {typeof fromCache} */ (load)(paths, cache);
  const order = uniformOrder(ORDER, paths.length);
  const loop = callLoop();
  return {
    tasks: {
      load: () => walker({ run: (from, to) => loop(call, paths, order, from, to), length: ORDER, ms }),
    },
  };
}

/** @param {string[]} paths @param {string} cache @returns {(path: string) => unknown} */
function fromCache(paths, cache) {
  const store = ScriptCache?.open(cache, { host: { name: 'bench', version: '1' }, parts: ['code'] });
  if (store === undefined) throw new Error('no ScriptCache');
  for (const [i, path] of paths.entries()) store.save(path, { code: makeValue(i, 1024) });
  return (path) => {
    const parts = store.load(path);
    if (parts === undefined) throw new Error(`${path} is not valid`);
    return parts;
  };
}

/** @param {string[]} paths @returns {(path: string) => unknown} */
function fromMap(paths) {
  const map = new Map(
    paths.map((path, i) => [path, { mtimeMs: statSync(path).mtimeMs, code: makeValue(i, 1024) }]),
  );
  return (path) => {
    const entry = map.get(path);
    return statSync(path).mtimeMs === entry?.mtimeMs ? entry.code : undefined;
  };
}

/** @param {string[]} _paths @returns {(path: string) => unknown} */
const statOnly = (_paths) => (path) => statSync(path);
