// How long a call may hold up its caller, and what a crowd may use up: docs/reliability.md has the table, and the proofs fail
// beyond it. The machine's part in it (a core that somebody else has, a disk that is slow) is in the numbers: they are what
// must hold on a busy one, not what is usual.

/** `lockTimeout` where nobody says otherwise: no call waits longer for locks, of whatever number, in all. */
export const LOCK_TIMEOUT_MS = 5000;

/** A look-up waits for nobody: what it takes is a page from the disk, or a new index snapshot to follow. */
export const LOOK_UP_MS = 500;

/** What a change of one entry does beside waiting for the lock: append, publish, and now and then an index snapshot. */
export const CHANGE_MS = 1000;

/** What whoever walks over the whole shard does for each MiB of it. */
export const WALK_MS_PER_MIB = 5;

/** What whoever syncs the file, or writes it anew, does for each MiB of it. */
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

/** Under load, with far more processes than cores, waiting for a core is most of it. */
export const CROWDED_LOOK_UP_MS = 5000;
export const CROWDED_PUT_MS = LOCK_TIMEOUT_MS + CROWDED_LOOK_UP_MS;

/** Of the turns of the one in the middle, whoever has fewest has at least this share. */
export const LEAST_SHARE = 0.1;

/** Anonymous memory that a process may gain in the second half of a run, in MiB: in a short one it is still warming up. */
export const GROWTH_MIB = 64;

/** Memory that the allocator may have lent out beyond what it had at half time, in MiB. */
export const LENT_MIB = 1;

/** Times `maxBytes` that a file may reach: half of it may be dead before a compaction begins, and others write meanwhile. */
export const OVERRUN = 3;
