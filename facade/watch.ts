import type { Handle } from './handle.js';
import { later } from './later.js';
import { table } from './native.js';

/** A shard that is checked. */
export type Watched = WeakRef<Handle>;

// Node.js' own timers, as they were when this was loaded. Test runners replace the globals by timers without `unref`, or
// by timers that they run until none is left.
const { setInterval, clearInterval } = require('node:timers') as typeof import('node:timers');

/** How often open shards check whether their files were deleted or replaced by hand, in milliseconds. */
const CHECK_MS = 1000;

// Otherwise a program whose look-ups are all hits would not notice, because a hit makes no system call. The shards are
// held weakly, and the timer does not keep the process alive.
const open = new Set<Watched>();
let timer: NodeJS.Timeout | undefined;

/** Checks a shard regularly until it is closed or collected. */
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

/** Ends the checks of a shard. */
export function unwatch(watched: Watched | undefined): void {
  open.delete(watched as Watched);
  if (open.size === 0) timer = clearInterval(timer) as undefined;
}

function check(): void {
  try {
    // Loaded early, so that it is there if the process runs out of file descriptors.
    later();
  } catch {
    // Nothing needs it yet.
  }
  for (const watched of open) {
    const handle = watched.deref();
    if (handle === undefined) unwatch(watched);
    else table('shard').check(handle.native);
  }
}
