/** Where requests of ES modules of TypeScript lead, remembered like those of CommonJS modules. */

import type { Kit } from '../kit.js';

/** Told behind such a request: `import` and `require` may find different files. */
const IMPORTED = '\timport';

/** The canonical path of the file that a request means; `undefined` where it is Node.js' to look. */
export function answerOf(kit: Kit, request: string, folder: string): string | undefined {
  let answer: string | undefined;
  try {
    answer = kit.program()?.resolve(folder, request + IMPORTED, 0);
    if (answer !== undefined) kit.counts.resolved++;
    else {
      kit.counts.searched++;
      answer = kit.typescript().find(request, folder, 0, request + IMPORTED);
    }
  } catch (error) {
    kit.giveUp(error);
  }
  return answer;
}
