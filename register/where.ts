/** Where the shard of all programs is, and what keeps programs apart in it. */

import { beginning } from './beginning.js';

export { defaultPath } from './default-path.js';

const { execArgv, nodeOptions } = beginning;

/** Options given to Node.js, from the command line and from the environment. */
export const options: readonly string[] = nodeOptions ? [...execArgv, ...nodeOptions.split(/\s+/)] : execArgv;

/** Bytes that the shard may have unless somebody says otherwise. */
export const MAX_BYTES = 512 << 20;

/** Options that have no say in what is compiled or found, and that come and go. */
const ELSEWHERE = new Set(
  '-r --require --import -e --eval -p --print -pe --no-warnings --no-deprecation'.split(' '),
);

/**
 * Everything that makes the same source compile to other bytecode, or the same request lead elsewhere, as far as it is
 * the process' and not the file system's. V8 compares its own version and flags with each code cache besides.
 */
export function profile(): string {
  const { version, arch } = process;
  const { nodePath: path = '', userHome = '' } = beginning;
  const parts = [version, process.versions.v8, arch, path, userHome];
  let isElsewhere = false;
  for (const word of options) {
    // Else it is the value of the option before it.
    if (word.startsWith('-')) isElsewhere = ELSEWHERE.has(word);
    if (!isElsewhere) parts.push(word);
  }
  return parts.join('\0');
}
