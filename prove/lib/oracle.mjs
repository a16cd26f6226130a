// What may be found under each key. A change that succeeded leaves one answer; one that failed, or whose end nobody
// saw, leaves the old answers and a new one. Keys of one batch are found together or not at all.

/**
 * @typedef {object} Change
 * @property {number} tag its number; no two are equal
 * @property {readonly string[]} [put] keys that get the value of this tag
 * @property {readonly string[]} [remove] keys that are gone
 * @property {boolean} [only] whether all other keys are gone too
 */

/** Keys that only ever change together begin with it. */
export const BATCH = 'batch ';

export class Oracle {
  /** @type {Map<string, Set<number | undefined>>} */
  allowed = new Map();
  /** Changes that are seen by others, or survive, only after a flush. @type {{ change: Change, succeeded: boolean }[]} */
  waiting = [];

  /**
   * A change that takes effect with the next flush, or before. What it replaces is gone as soon as it has succeeded, or has
   * failed half-way: where no flush follows, neither may be there.
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

  /** Whoever made the changes could not flush them, and is gone. No flush of others tells anything about them. */
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

  /** Reads all keys that were ever named.
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
