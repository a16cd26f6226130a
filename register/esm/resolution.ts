/** Where requests of ES modules in TypeScript lead, remembered like those of CommonJS modules. */

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

/** Records what Node.js has found. */
export function found(kit: Kit, request: string, folder: string, real: string): void {
  kit.typescript().found(request, folder, real, request + IMPORTED);
}
