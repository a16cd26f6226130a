// Knows what may be found under each key. After a change that succeeded there is one right answer; after one that failed, or whose
// end is unknown, the old answers and the new one are right. The keys of one batch must be found together or not at all.

/**
 * @typedef {object} Change
 * @property {number} tag its unique number
 * @property {readonly string[]} [put] keys that get the value of this tag
 * @property {readonly string[]} [remove] keys that are deleted
 * @property {boolean} [only] whether all other keys are deleted, too
 */

/** Prefix of the keys that always change together. */
export const BATCH = 'batch ';

export class Oracle {
  /** @type {Map<string, Set<number | undefined>>} */
  allowed = new Map();
  /** Changes that need not survive, or be seen by other processes, before a flush. @type {{ change: Change, succeeded: boolean }[]} */
  waiting = [];

  /**
   * A change that takes effect with the next flush, or before. What it replaces may be gone as soon as it has succeeded, or failed
   * half-way. So until the flush, neither the old nor the new value need be there.
   *
   * @param {Change} change
   * @param {boolean} succeeded
   */
  defer(change, succeeded) {
    this.#half(change);
    this.waiting.push({ change, succeeded });
  }

  /** A flush succeeded. */
  flushed() {
    for (const { change, succeeded } of this.waiting.splice(0)) {
      if (succeeded) this.note(change, true);
      else this.#half(change);
    }
  }

  /** @param {Change} change */
  #half(change) {
    this.note(change, false);
    this.note({ tag: change.tag, remove: change.put ?? [] }, false);
  }

  /** The store was closed and may not have flushed its changes. Later flushes do not concern them. */
  abandoned() {
    this.waiting = [];
  }

  /** @param {Change} change @param {boolean} succeeded */
  note(change, succeeded) {
    const told = new Map();
    if (change.only) for (const key of this.allowed.keys()) told.set(key, undefined);
    for (const key of change.remove ?? []) told.set(key, undefined);
    for (const key of change.put ?? []) told.set(key, change.tag);
    for (const [key, tag] of told) {
      const before = this.allowed.get(key) ?? new Set([undefined]);
      this.allowed.set(key, succeeded ? new Set([tag]) : before.add(tag));
    }
  }

  /**
   * Looks up all keys that were ever named.
   *
   * @param {(key: string) => number | undefined} find the tag found under a key
   * @param {{ mayMiss?: boolean }} [how] whether an entry may be absent for now
   * @returns {string[]} what is wrong
   */
  judge(find, how = {}) {
    const wrong = [];
    const batch = new Set();
    for (const [key, allowed] of this.allowed) {
      let tag;
      try {
        tag = find(key);
      } catch (error) {
        wrong.push(/** @type {Error} */ (error).message);
        continue;
      }
      if (key.startsWith(BATCH)) batch.add(tag);
      if (allowed.has(tag) || (how.mayMiss && tag === undefined)) continue;
      wrong.push(
        `${key}: found ${tag ?? 'nothing'}, expected ${[...allowed].map((t) => t ?? 'nothing').join(' or ')}`,
      );
    }
    if (batch.size > 1 && !how.mayMiss)
      wrong.push(`half a batch: ${[...batch].map((t) => t ?? 'nothing').join(', ')}`);
    return wrong;
  }
}
