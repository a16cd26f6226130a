/** How many strings are sampled. */
const SIZE = 128;
/** Keeping pays as soon as one in so many has come again. */
const SHARE = 2;

/**
 * Finds out whether it may pay to keep answers. The strings of the first hits are put into a Set that is small enough for
 * the processor's cache. The share of them that comes again, within as many look-ups as answers may be kept, is the share
 * of look-ups that kept answers would serve, whether the strings come in random order or round and round in the same one.
 * No other strings have to be hashed for this.
 */
export class Sample {
  private readonly strings = new Set<string>();
  private wanted = SIZE;
  private enough = 0;
  /** Look-ups so far. */
  looks = 0;

  /** @param most within how many look-ups the strings have to come again */
  constructor(private readonly most: number) {}

  /** Notes a look-up; without a key if its answer cannot be kept. Returns whether keeping pays, once that is clear. */
  note(key: string | undefined, isHashed: (key: string) => boolean): boolean | undefined {
    const { strings } = this;
    this.looks++;
    if (key === undefined) {
      // It only counts as a look-up.
    } else if (this.wanted > 0) {
      // A string that comes several times in a row counts once: only one that comes back later is worth keeping.
      strings.add(key);
      if (--this.wanted === 0) this.enough = Math.ceil(strings.size / SHARE);
    } else if (isHashed(key) && strings.delete(key) && --this.enough <= 0) {
      // A string without a hash has just been made, even if it equals one of the sample.
      return true;
    }
    return this.looks < this.most ? undefined : false;
  }
}
