import { beginning } from './beginning.js';

/** Writes a line to standard error if `WARMSHARD_DEBUG` is 1. */
export function debug(what: string, path: string, why = ''): void {
  if (beginning.debugging !== '1') return;
  try {
    beginning.fs.writeSync(2, `warmshard: ${what} ${path.replace(/\n/g, '\\n')}${why && `: ${why}`}\n`);
  } catch {}
}
