import type { NativeShard } from './native.js';

/** How often open shards look whether their files were deleted or replaced by hand, in milliseconds. */
const CHECK_MS = 1000;

// Programs that only ever hit would not notice otherwise: a hit makes no system call. The shards are held weakly,
// and the timer does not keep the process alive.
const open = new Map<NativeShard, WeakRef<object>>();
const byFacade = new WeakMap<object, NativeShard>();
let timer: NodeJS.Timeout | undefined;

/** Checks a shard now and then until it is closed or collected. */
export function watch(facade: object, shard: NativeShard): void {
  open.set(shard, new WeakRef(facade));
  byFacade.set(facade, shard);
  // Not now: the first timer of a process costs more than opening a shard.
  if (open.size === 1) Promise.resolve().then(start);
}

function start(): void {
  if (open.size > 0) timer ??= setInterval(check, CHECK_MS).unref();
}

/** Ends that. */
export function unwatch(facade: object): void {
  const shard = byFacade.get(facade);
  if (shard !== undefined) forget(shard);
}

function check(): void {
  for (const [shard, facade] of open) {
    if (facade.deref() === undefined) forget(shard);
    else shard.check();
  }
}

function forget(shard: NativeShard): void {
  open.delete(shard);
  if (open.size === 0) {
    clearInterval(timer);
    timer = undefined;
  }
}
