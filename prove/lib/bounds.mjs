// How long a call may block its caller, and how much many processes together may use. docs/reliability.md has the table; the
// proofs fail beyond these bounds. They must hold on a busy machine with a slow disk, so usual times are much shorter.

/** The default of `lockTimeout`: the longest that a call waits for all its locks together. */
export const LOCK_TIMEOUT_MS = 5000;

/** A look-up waits for no lock. It may have to read a page from the disk or to follow a new index snapshot. */
export const LOOK_UP_MS = 500;

/** A change of one entry, without waiting for the lock: append, publish, and now and then write an index snapshot. */
export const CHANGE_MS = 1000;

/** Calls that walk over the whole shard, for each MiB of it. */
export const WALK_MS_PER_MIB = 5;

/** Calls that sync or rewrite the file, for each MiB of it. */
export const WRITE_MS_PER_MIB = 20;

/**
 * The bound of each synchronous call on a shard of this size, in milliseconds.
 *
 * @param {number} mib
 * @returns {Record<string, number>}
 */
export function boundsOf(mib) {
  const change = LOCK_TIMEOUT_MS + CHANGE_MS;
  const walk = CHANGE_MS + mib * WALK_MS_PER_MIB;
  const written = change + mib * WRITE_MS_PER_MIB;
  return {
    get: LOOK_UP_MS,
    'get, absent': LOOK_UP_MS,
    has: LOOK_UP_MS,
    info: LOOK_UP_MS,
    stats: walk,
    put: change,
    delete: change,
    'mergeIn of 100': change,
    'open, first get, close': CHANGE_MS,
    durability: LOOK_UP_MS,
    flush: written,
    keys: walk,
    list: walk,
    verify: walk,
    evictStale: written,
    compact: written,
    replaceAll: written,
    clear: written,
  };
}

/** Under load, with far more processes than cores; most of this time is spent waiting for a core. */
export const CROWDED_LOOK_UP_MS = 5000;
export const CROWDED_PUT_MS = LOCK_TIMEOUT_MS + CROWDED_LOOK_UP_MS;

/** The process with the fewest turns has at least this share of the median process's turns. */
export const LEAST_SHARE = 0.1;

/** Anonymous memory that a process may gain in the second half of a run, in MiB. */
export const GROWTH_MIB = 64;

/** How much the memory allocated from the C library may grow in the second half of a run, in MiB. */
export const LENT_MIB = 1;

/**
 * How many times `maxBytes` a file may reach: half of it may be dead before a compaction begins, and other processes write while
 * it runs.
 */
export const OVERRUN = 3;
