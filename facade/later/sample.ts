/** Strings that are taken. */
const SIZE = 128;
/** It says yes as soon as one in so many has come again. */
const SHARE = 2;

/**
 * Whether it may pay to keep answers. The first strings that hits are asked for by are put into a Set so small that the processor has it at
 * hand; of those that come again while as many look-ups go by as answers may be kept, that share would be answered from what is kept. So
 * it knows strings in no order from those that come round and round in one, and nothing else has to be hashed for it.
 */
export class Sample {
  private readonly strings = new Set<string>();
  private wanted = SIZE;
  private enough = 0;
  /** Look-ups so far. */
  looks = 0;

  /** Within how many look-ups they have to come again. */
  constructor(private readonly most: number) {}

  /** Takes note of a look-up: of no string where there is nothing to be kept. Says whether it pays once that is clear. */
  note(key: string | undefined, isHashed: (key: string) => boolean): boolean | undefined {
    const { strings } = this;
    this.looks++;
    if (key === undefined) {
      // Only time goes by.
    } else if (this.wanted > 0) {
      // Several times in a row counts once: only what comes back is worth keeping.
      strings.add(key);
      if (--this.wanted === 0) this.enough = Math.ceil(strings.size / SHARE);
    } else if (isHashed(key) && strings.delete(key) && --this.enough <= 0) {
      // Without a hash it may be equal, but it is a string that was just made.
      return true;
    }
    return this.looks < this.most ? undefined : false;
  }
}
