/** Where requests of ES modules in TypeScript lead, remembered like those of CommonJS modules. */

import fs = require('node:fs');
import path = require('node:path');

import type { Kit } from '../kit.js';

/** Appended to such a request, because `import` and `require` may find different files. */
const IMPORTED = '\timport';

/** The answer in the shard, if there is one. */
export function known(kit: Kit, request: string, folder: string): string | undefined {
  try {
    const answer = kit.program()?.resolve(folder, request + IMPORTED, 0);
    if (answer === undefined) kit.counts.searched++;
    else kit.counts.resolved++;
    return answer;
  } catch (error) {
    kit.giveUp(error);
    return undefined;
  }
}

/** The canonical path of the file that a request means by TypeScript's rules; `undefined` if Node.js has to look. */
export function sought(kit: Kit, request: string, folder: string): string | undefined {
  return kit.typescript().find(request, folder, 0, request + IMPORTED);
}

/** The package that a request names: its folder and its manifest, looked for upwards from the file that was found. */
function packageOf(
  request: string,
  real: string,
): [folder: string, manifest: { exports?: unknown; main?: unknown }] | undefined {
  for (let folder = path.dirname(real); folder !== '/'; folder = path.dirname(folder))
    try {
      const manifest = JSON.parse(fs.readFileSync(`${folder}/package.json`, 'utf8'));
      // The name is for packages that were found through a link.
      if (folder.endsWith(`/node_modules/${request}`) || manifest.name === request) return [folder, manifest];
    } catch {}
  return undefined;
}

/**
 * Whether Node.js warns about a request each time (DEP0151): the ES module that it led to is the main entry of a package
 * whose manifest does not contain the full name of that file.
 */
function isLegacyMain(request: string, real: string): boolean {
  if (!/^(@[^/]+\/)?[^@./][^/]*$/.test(request)) return false;
  const [folder, { exports, main }] = packageOf(request, real) ?? ['', {}];
  return (
    (exports === undefined || exports === null) &&
    (typeof main !== 'string' || path.resolve(folder, main) !== real)
  );
}

/** Records what Node.js has found, and the format that it takes the file for. */
export function found(kit: Kit, request: string, folder: string, real: string, format?: string): void {
  if (format !== 'module' || !isLegacyMain(request, real))
    kit.typescript().found(request, folder, real, request + IMPORTED);
}
