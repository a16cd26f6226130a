// How long tests wait for something on a machine that may be busy, slow or paused for a while.

/** What takes longer than this, in milliseconds, will never happen. The timeout in ava.config.mjs is longer. */
export const FOR_EVER = 240_000;

/**
 * How many milliseconds something takes: repeats it until a try takes less than `bound`, at most 30 times, and returns the
 * shortest time. A busy machine can make a try slower, but never faster.
 */
export async function atBest(bound: number, work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 30 && least >= bound; i++) {
    const from = performance.now();
    await work();
    least = Math.min(least, performance.now() - from);
  }
  return least;
}
