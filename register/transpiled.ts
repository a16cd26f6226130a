import { late } from './late.js';
import type { StacksKit, stacks } from './stacks/index.js';

/** Source maps of modules that were transpiled, as JSON: parsed when a stack is formatted, which may be never. */
const maps = new Map<string, string>();

type Stacks = ReturnType<typeof stacks>;

/** Keeps a source map, and has stacks formatted by it. Whoever formats stacks in a way of his own goes on to do so. */
export function keepMap(filename: string, map: string): void {
  if (map === '') return;
  if (maps.size === 0) {
    const previous = Error.prepareStackTrace as StacksKit['previous'] | undefined;
    if (previous?.name !== 'ErrorPrepareStackTrace') return;
    const loaded = () => late<StacksKit, Stacks>('stacks', { maps, previous });
    Error.prepareStackTrace = function prepareStackTrace(error, sites) {
      return loaded().prepare(error, sites);
    };
    process.on('uncaughtExceptionMonitor', (error) => {
      if (process.listenerCount('uncaughtException') === 0) loaded().showSource(error);
    });
  }
  maps.set(filename, map);
}
