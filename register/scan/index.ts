/**
 * Whether an `import()` in a text is code, or only in a string or comment. A separate bundle, needed on Node.js 20 only,
 * once for each file, when it is recorded.
 */

import { parse } from 'es-module-lexer/minimal/js';

/** What this bundle offers. */
export type Scan = (text: string) => boolean;

export const scan = (): Scan => (text) => {
  try {
    return parse(text)[0].some(({ d: dynamic }) => dynamic > -1);
  } catch {
    return true;
  }
};
