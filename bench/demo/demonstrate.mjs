// One process compiles and publishes; then fresh ones, in turn, compile everything and load everything.

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { inFreshProcess } from './child.mjs';
import { compareBehaviour, compareTimes, readMs } from './compare.mjs';
import { findScripts } from './files.mjs';

/**
 * @typedef {ReturnType<typeof compareTimes>} Row
 *
 * @typedef {object} Report
 * @property {boolean} ok
 * @property {Record<string, number>} skipped how many files, by reason
 * @property {Row[]} rows everything first
 * @property {number} runs
 * @property {number} readMs
 * @property {number} publishMs
 * @property {number} nsPerHit
 * @property {number} fileBytes
 * @property {number} bytecodeBytes
 * @property {string[]} missing
 * @property {string[]} rejected
 * @property {ReturnType<typeof compareBehaviour>} behaviour
 */

/** Files that get a row of their own, by the end of their path. */
const HIGHLIGHTS = ['/typescript/lib/typescript.js'];

/**
 * @param {{ shard: string, folder: string, from: string, runs: number }} options
 * @param {ReturnType<typeof import('./progress.mjs').createProgress>} progress
 * @returns {Promise<Report>}
 */
export async function demonstrate({ shard, folder, from, runs }, progress) {
  const { scripts: found, skipped } = findScripts(folder);
  if (found.length === 0) throw new Error(`${folder} holds no scripts: run npm ci`);
  /** @template T @param {string} step @param {import('./child.mjs').Task} task @returns {Promise<T>} */
  const run = async (step, task) => {
    progress.start(step, task.scripts.length);
    const result = await inFreshProcess(task, progress.update);
    progress.stop();
    return /** @type {T} */ (result);
  };

  /** @type {import('./child.mjs').Published} */
  const published = await run('compile and publish', { role: 'publish', shard, scripts: found, from });
  const refused = new Set(published.refused);
  if (refused.size > 0) skipped['no CommonJS script (ES module syntax, JSX, ...)'] = refused.size;
  const scripts = found.filter((path) => !refused.has(path));

  /** @type {import('./child.mjs').Ran[]} */
  const compiled = [];
  /** @type {import('./child.mjs').Ran[]} */
  const loaded = [];
  for (let i = 0; i < runs; i++) {
    const task = /** @type {const} */ ({ role: 'run', shard, scripts, from, check: i === 0 });
    compiled.push(await run('compile without a cache', { ...task, cached: false }));
    loaded.push(await run('load from the shard', { ...task, cached: true }));
  }
  const [firstCompiled, firstLoaded] = [compiled[0], loaded[0]];
  if (!firstCompiled || !firstLoaded) throw new Error('no runs');

  const behaviour = compareBehaviour(scripts, firstCompiled, firstLoaded);
  const missing = loaded.flatMap((ran) => ran.missing.map((path) => `${path}: not in the shard`));
  const rejected = loaded.flatMap((ran) => ran.rejected.map((path) => `${path}: V8 rejected the bytecode`));
  const sizes = new Map(scripts.map((path) => [path, statSync(path).size]));
  const highlights = scripts.filter((path) => HIGHLIGHTS.some((end) => path.endsWith(end)));
  return {
    ok: missing.length + rejected.length + behaviour.differences.length === 0,
    skipped,
    rows: [
      compareTimes('everything', sizes, compiled, loaded),
      ...highlights.map((path) =>
        compareTimes(basename(path), new Map([[path, sizes.get(path) ?? 0]]), compiled, loaded),
      ),
    ],
    runs,
    readMs: readMs([...compiled, ...loaded]),
    publishMs: published.publishMs,
    nsPerHit: firstLoaded.nsPerHit ?? Number.NaN,
    fileBytes: published.fileBytes,
    bytecodeBytes: published.bytecodeBytes,
    missing,
    rejected,
    behaviour,
  };
}
