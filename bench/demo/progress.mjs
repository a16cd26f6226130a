// Progress on stderr: a bar on a terminal, a line for each step elsewhere.

// @ts-expect-error: it ships no types
import cliProgress from 'cli-progress';

/** @param {boolean} quiet */
export function createProgress(quiet) {
  const tty = process.stderr.isTTY && !quiet;
  const bar = tty
    ? new cliProgress.SingleBar({
        format: '{step} [{bar}] {value}/{total}',
        hideCursor: true,
        clearOnComplete: true,
      })
    : undefined;
  return {
    /** @param {string} step @param {number} total */
    start(step, total) {
      if (bar) bar.start(total, 0, { step });
      else if (!quiet) console.error(`${step} ...`);
    },
    /** @param {number} done */
    update: (done) => bar?.update(done),
    stop: () => bar?.stop(),
  };
}
