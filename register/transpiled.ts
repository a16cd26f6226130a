import { late } from './late.js';
import type { StacksKit } from './stacks/index.js';

/** Source maps of modules that were transpiled, as JSON: parsed when a stack is formatted, which may be never. */
const maps = new Map<string, string>();

type Prepare = StacksKit['previous'];

/** Keeps a source map, and has stacks formatted by it. Whoever formats stacks in a way of his own goes on to do so. */
export function keepMap(filename: string, map: string): void {
  if (map === '') return;
  if (maps.size === 0) {
    const previous = Error.prepareStackTrace as Prepare | undefined;
    if (previous?.name !== 'ErrorPrepareStackTrace') return;
    Error.prepareStackTrace = function prepareStackTrace(error, sites) {
      return late<StacksKit, Prepare>('stacks', { maps, previous })(error, sites);
    };
  }
  maps.set(filename, map);
}
