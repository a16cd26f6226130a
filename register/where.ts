/** The default shard, and what keeps the entries of different processes apart in it. */

import { beginning } from './beginning.js';

export { defaultPath } from './default-path.js';

const { execArgv, nodeOptions } = beginning;

/** Options given to Node.js, from the command line and from the environment. */
export const options: readonly string[] = nodeOptions ? [...execArgv, ...nodeOptions.split(/\s+/)] : execArgv;

/** The default of `maxBytes`. */
export const MAX_BYTES = 512 << 20;

/** Options that do not affect what is compiled or found, and that differ between runs of one program. */
const ELSEWHERE = new Set(
  '-r --require --import -e --eval -p --print -pe --no-warnings --no-deprecation'.split(' '),
);

/**
 * Everything about this process that can make the same source compile to other bytecode, or the same request lead
 * elsewhere. V8 also compares its own version and flags with those of the bytecode.
 */
export function profile(): string {
  const { version, arch } = process;
  const { nodePath: path = '', userHome = '' } = beginning;
  const parts = [version, process.versions.v8, arch, path, userHome];
  let isElsewhere = false;
  for (const word of options) {
    // Any other word is the value of the option before it.
    if (word.startsWith('-')) isElsewhere = ELSEWHERE.has(word);
    if (!isElsewhere) parts.push(word);
  }
  return parts.join('\0');
}
