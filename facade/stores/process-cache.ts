import { defaultCachePath } from './default-path.js';
import { ScriptCache } from './script-cache.js';

let cache: ScriptCache | undefined;
let failed = false;

/**
 * The script cache of the process, shared by all programs that have no cache of their own: at `defaultCachePath()`,
 * with Node.js as its host, opened at the first call. There is one for each thread; after a `close` the next call opens
 * it again.
 *
 * @returns `undefined` if the environment variable `WARMSHARD` is `0`, `false` or `no`, or if the cache cannot be
 * opened, which is not tried again
 */
export function scriptCache(): ScriptCache | undefined {
  if (/^(0|false|no)$/i.test(process.env.WARMSHARD ?? '')) return undefined;
  if (cache !== undefined && !cache.closed) return cache;
  if (failed) return undefined;
  try {
    cache = ScriptCache.open(defaultCachePath(), {
      host: { name: 'node', version: process.version, binary: process.execPath },
    });
    return cache;
  } catch {
    failed = true;
    return undefined;
  }
}
