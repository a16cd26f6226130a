import { fill } from './layered.js';
import { metricsBefore, type PipelineMetrics, type PipelineStore } from './metrics.js';
import type { Ending, Requests } from './requests.js';
import { hexOf } from './rules.js';

/** Asks for an artifact elsewhere. It may reject; its signal says that nobody waits for it any more. */
type Ask<Outcome extends string> = (
  fingerprint: Uint8Array,
  hex: string,
  signal: AbortSignal,
) => Promise<[Outcome | Ending, Uint8Array?]>;

/** A local store in front of what is asked elsewhere: look-ups go through it, and fill it. */
export class ReadThrough<Outcome extends string> {
  readonly #local: PipelineStore | undefined;
  readonly #requests: Requests<Outcome>;
  readonly #ask: Ask<Outcome>;
  #hits = 0;
  #misses = 0;

  constructor(local: PipelineStore | undefined, requests: Requests<Outcome>, ask: Ask<Outcome>) {
    this.#local = local;
    this.#requests = requests;
    this.#ask = ask;
  }

  /** The artifact of a fingerprint: from the local store, else from elsewhere, else `undefined`. */
  async get(fingerprint: Uint8Array): Promise<Uint8Array | undefined> {
    const found = this.#local?.get(fingerprint) ?? (await this.#request(fingerprint));
    if (found === undefined) this.#misses++;
    else this.#hits++;
    return found;
  }

  #request(given: Uint8Array): Promise<Uint8Array | undefined> {
    // The caller may write to its array while the request is in progress.
    const fingerprint = new Uint8Array(given);
    const hex = hexOf(fingerprint);
    return this.#requests.ask(hex, async (signal) => {
      const answer = await this.#ask(fingerprint, hex, signal);
      const [, artifact] = answer;
      if (artifact !== undefined && this.#local !== undefined && !signal.aborted)
        fill(this.#local, fingerprint, artifact);
      return answer;
    });
  }

  /** Statistics: look-ups, hits and misses are those of this object, everything else is the local store's. */
  metrics(): PipelineMetrics {
    return metricsBefore(this.#local, this.#hits, this.#misses);
  }
}
