import { WarmshardError } from '../errors.js';
import { type NativeJob, table } from '../native.js';
import { object, unlike } from './checks.js';
import { clearInterval, setInterval } from './timers.js';

/** The progress of long work. */
export interface Progress {
  /** Steps done. */
  done: number;
  /** Steps expected; 0 while that is not known. */
  total: number;
}

/** Options of every asynchronous form. */
export interface WorkOptions {
  /**
   * Called now and then (at most twenty times a second) during the work, and once when it is done. If it throws, the
   * work ends and rejects with what was thrown.
   */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the work early: it rejects with `ERR_ABORTED`, and none of it is published. */
  signal?: AbortSignal | undefined;
}

const PROGRESS_MS = 50;

/** Whether this is an AbortSignal, of any realm: one from another realm is no instance of our class. */
const isSignal = (value: AbortSignal | null): boolean =>
  typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function';

/** Runs work off the event loop, reports its progress, and ends it when the signal says so. */
export async function runWork<T>(
  options: WorkOptions | undefined,
  start: (job: NativeJob) => Promise<T>,
): Promise<T> {
  if (options !== undefined) object('options', options);
  const { onProgress, signal } = options ?? {};
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw unlike('onProgress must be a function', onProgress);
  if (signal !== undefined && !isSignal(signal)) throw unlike('signal must be an AbortSignal', signal);
  if (signal?.aborted) throw new WarmshardError('ERR_ABORTED', 'the operation was aborted before it began');
  const { begin, progress, abort } = table('work');
  const job = begin();
  let thrown: { error: unknown } | undefined;
  const report =
    onProgress &&
    (() => {
      try {
        const [done, total] = progress(job);
        onProgress({ done, total });
      } catch (error) {
        // Thrown from a timer it would end the process, so it ends the work instead.
        thrown ??= { error };
        abort(job);
      }
    });
  const timer = report && setInterval(report, PROGRESS_MS);
  const end = () => abort(job);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const result = await start(job);
    if (thrown === undefined) report?.();
    if (thrown !== undefined) throw thrown.error;
    return result;
  } catch (error) {
    throw thrown === undefined ? error : thrown.error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', end);
  }
}
