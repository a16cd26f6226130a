/**
 * `warmshard/register`: programs that start warm.
 *
 * Loading it is enough: `node -r warmshard/register app.js`, `node --import warmshard/register app.js`, or a `require` at
 * the top of a command-line tool.
 */

import { everything } from './door.js';
import type { Status } from './rest.js';
import type { Counts, EnableOptions } from './state.js';

export type { Counts, EnableOptions, Status };

/**
 * Serves modules from a shard, and records those that are not in it.
 *
 * Loading this module has already enabled it with the defaults; the shard is opened at the first module. Each call starts
 * from the defaults, not from the options of the last call.
 *
 * @example
 * enable({ path: '/app/cache/programs.shard', root: '/app', readOnly: true });
 * @param options where the shard is and what is served
 * @throws `ERR_INVALID_ARG` for an option of another type; nothing is changed then
 */
export function enable(options?: EnableOptions): void {
  everything().enable(options);
}

/**
 * Writes what was recorded so far, without waiting for the end of the program.
 *
 * @returns how many entries were written
 */
export function flush(): number {
  return everything().flush();
}

/** What this process has got from the shard so far, and whether modules are served at all. */
export function status(): Status {
  return everything().status();
}
