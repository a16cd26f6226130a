// How long to wait for something on a machine that may be busy, slow or stopped for a while.

/** Nobody waits for so long, but for something that never comes. In milliseconds; ava.config.mjs waits for longer. */
export const FOR_EVER = 240_000;

/**
 * How long something takes by itself, in milliseconds, if that is less than `bound` in one of some tries; else the least of
 * them. A busy machine may hold up each, but takes nothing off.
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
