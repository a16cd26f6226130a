// Real source files: a warm load compared with what a program would do without ScriptCache, a stat and a look into a Map.

import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScriptCache } from 'warmshard';
import { perTurn } from '../lib/loops.mjs';
import { measure } from '../lib/measure.mjs';

const FILES = 600;
const VALUE_BYTES = 4096;
/** How many times a round loads all files. */
const PASSES = 20;
const HOST = { name: 'bench', version: '1' };

/** Source files from node_modules. */
function sources() {
  const root = realpathSync(fileURLToPath(new URL('../../node_modules', import.meta.url)));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile())
    .slice(0, FILES);
}

/**
 * A loop of its own for each contender, for the reason told in lib/loops.mjs.
 *
 * @param {string} body
 * @param {object} scope the variables that the body uses
 * @returns {() => number}
 */
function loop(body, scope) {
  const names = Object.keys(scope);
  const make = new Function(
    ...names,
    `return () => { let sum = 0; for (let pass = 0; pass < ${PASSES}; pass++) { ${body} } return sum; };`,
  );
  return make(...Object.values(scope));
}

/** @param {{ dir: string, rounds: number }} options */
export async function scripts({ dir, rounds }) {
  const paths = sources();
  const value = new Uint8Array(VALUE_BYTES).fill(7);
  const path = join(dir, 'scripts.shard');
  const [one, two] = [
    ScriptCache.open(path, { host: HOST }),
    ScriptCache.open(`${path}.2`, { host: HOST, parts: ['program', 'chunk'] }),
  ];
  const map = new Map();
  const times = paths.map((path) => statSync(path).mtimeMs);
  for (const [i, path] of paths.entries()) {
    if (!one.save(path, { code: value }) || !two.save(path, { program: value, chunk: value }))
      throw new Error(`not saved: ${one.stats().lastSkip}`);
    map.set(path, { mtimeMs: times[i], code: value });
  }
  const scope = { paths, one, two, map, statSync };
  const loops = {
    'ScriptCache.load': loop('for (const path of paths) sum += one.load(path).code[0];', scope),
    'ScriptCache.load, two parts': loop(
      'for (const path of paths) { const found = two.load(path); sum += found.program[0] + found.chunk[0]; }',
      scope,
    ),
    'statSync + Map': loop(
      `for (const path of paths) {
        const found = map.get(path);
        if (found.mtimeMs === statSync(path).mtimeMs) sum += found.code[0];
      }`,
      scope,
    ),
    'statSync alone': loop('for (const path of paths) sum += statSync(path).size;', scope),
  };
  const turns = paths.length * PASSES;
  const warm = await measure(
    Object.entries(loops).map(([name, run]) => ({ name, round: () => perTurn(turns, () => void run()) })),
    { rounds },
  );
  const cold = await measure(
    [
      {
        name: 'ScriptCache.load',
        round() {
          const fresh = ScriptCache.open(path, { host: HOST });
          const ns = perTurn(paths.length, () => {
            for (const path of paths) if (fresh.load(path) === undefined) throw new Error('lost');
          });
          fresh.close();
          return ns;
        },
      },
      {
        name: 'realpathSync.native + statSync',
        round: () =>
          perTurn(paths.length, () => {
            for (const path of paths) statSync(realpathSync.native(path));
          }),
      },
    ],
    { rounds },
  );
  for (const cache of [one, two]) cache.close();
  return { [`load of ${paths.length} sources, warm`]: warm, [`first load of ${paths.length} sources`]: cold };
}
