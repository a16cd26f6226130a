/** The source maps of transpiled modules. */

import { late } from './late.js';
import type { ProgramCalls } from './native.js';
import type { StacksKit, stacks } from './stacks/index.js';

/** By file: JSON, or the number by which to read it when a stack is formatted, which may never happen. */
const maps = new Map<string, string | number>();

/** The cache that the numbers belong to. */
let numbering: ProgramCalls | undefined;

type Stacks = ReturnType<typeof stacks>;

/** The source map of a file. */
function mapOf(filename: string): string | undefined {
  const map = maps.get(filename);
  if (typeof map !== 'number') return map;
  const text = numbering?.map(map) ?? '';
  maps.set(filename, text);
  return text;
}

/** Keeps a source map, and has stacks formatted with it, unless the program formats stacks in a way of its own. */
export function keepMap(filename: string, map: string | number, cache?: ProgramCalls): void {
  if (!map) return;
  if (maps.size === 0) {
    const previous = Error.prepareStackTrace as StacksKit['previous'] | undefined;
    if (previous?.name !== 'ErrorPrepareStackTrace') return;
    const loaded = () => late<StacksKit, Stacks>('stacks', { mapOf, previous });
    Error.prepareStackTrace = function prepareStackTrace(error, sites) {
      return loaded().prepare(error, sites);
    };
    process.on('uncaughtExceptionMonitor', (error) => {
      if (process.listenerCount('uncaughtException') === 0) loaded().showSource(error);
    });
  }
  if (cache !== undefined && cache !== numbering) {
    for (const known of maps.keys()) mapOf(known);
    numbering = cache;
  }
  maps.set(filename, map);
}
