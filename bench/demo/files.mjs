// The real JavaScript of node_modules, sorted into what V8 can compile as a CommonJS script and what not.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/**
 * @typedef {object} Found
 * @property {string[]} scripts absolute paths
 * @property {Record<string, number>} skipped how many, by reason
 */

/** @param {string} folder @returns {Found} */
export function findScripts(folder) {
  /** @type {string[]} */
  const scripts = [];
  /** @type {Record<string, number>} */
  const skipped = {};
  /** @type {Map<string, boolean>} */
  const modules = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const extension = extname(entry.name);
    if (!entry.isFile() || !['.js', '.cjs', '.mjs'].includes(extension)) continue;
    if (extension === '.mjs') count(skipped, 'ES module (.mjs)');
    else if (extension === '.js' && isModule(dirname(path), modules))
      count(skipped, 'ES module ("type": "module")');
    else scripts.push(path);
  }
  return { scripts: scripts.sort(), skipped };
}

/** @param {Record<string, number>} counts @param {string} reason */
export function count(counts, reason) {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

/**
 * Whether the nearest package.json says that .js means ES module.
 *
 * @param {string} folder
 * @param {Map<string, boolean>} known
 * @returns {boolean}
 */
function isModule(folder, known) {
  const answer = known.get(folder) ?? ask(folder, known);
  known.set(folder, answer);
  return answer;
}

/** @param {string} folder @param {Map<string, boolean>} known */
function ask(folder, known) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).type === 'module';
  } catch {
    const parent = dirname(folder);
    return parent !== folder && isModule(parent, known);
  }
}
