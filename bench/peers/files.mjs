// One file per entry, written under a temporary name and renamed, as careful programs do.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} folder
 * @param {import('./index.mjs').StoreOptions} options
 * @returns {import('./index.mjs').Store}
 */
export function openFiles(folder, { sync = false }) {
  /** @param {string} key */
  const pathOf = (key) => `${folder}/${key.replaceAll('/', '_')}`;
  const put = (/** @type {string} */ key, /** @type {Buffer} */ value, durable = sync) => {
    const temporary = join(folder, '.temporary');
    const file = openSync(temporary, 'w');
    writeSync(file, value);
    if (durable) fsyncSync(file);
    closeSync(file);
    renameSync(temporary, pathOf(key));
    if (!durable) return;
    const parent = openSync(folder, 'r');
    fsyncSync(parent);
    closeSync(parent);
  };
  return {
    get: (key) => {
      try {
        return readFileSync(pathOf(key));
      } catch {
        return undefined;
      }
    },
    put,
    load: (entries) => {
      for (const [key, value] of entries) put(key, value, false);
    },
    close: () => {},
  };
}
