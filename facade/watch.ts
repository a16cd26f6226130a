import type { Handle } from './handle.js';
import { later } from './later.js';
import { table } from './native.js';

/** A shard that is checked. */
export type Watched = WeakRef<Handle>;

// Node.js' own, as they were when this was loaded. Test runners put others into the globals: timers without `unref`, and
// such as are run until none is left.
const { setInterval, clearInterval } = require('node:timers') as typeof import('node:timers');

/** How often open shards look whether their files were deleted or replaced by hand, in milliseconds. */
const CHECK_MS = 1000;

// Programs that only ever hit would not notice otherwise: a hit makes no system call. The shards are held weakly,
// and the timer does not keep the process alive.
const open = new Set<Watched>();
let timer: NodeJS.Timeout | undefined;

/** Checks a shard now and then until it is closed or collected. */
export function watch(handle: Handle): Watched {
  const watched = new WeakRef(handle);
  open.add(watched);
  // Not now: the first timer of a process costs more than opening a shard.
  if (open.size === 1) Promise.resolve().then(start);
  return watched;
}

function start(): void {
  if (open.size > 0) timer ??= setInterval(check, CHECK_MS).unref();
}

/** Ends that, if it has begun. */
export function unwatch(watched: Watched | undefined): void {
  open.delete(watched as Watched);
  if (open.size === 0) timer = clearInterval(timer) as undefined;
}

function check(): void {
  try {
    // Who goes on has it at hand when no descriptor is left.
    later();
  } catch {
    // Nobody has asked for it yet.
  }
  for (const watched of open) {
    const handle = watched.deref();
    if (handle === undefined) unwatch(watched);
    else table('shard').check(handle.native);
  }
}
