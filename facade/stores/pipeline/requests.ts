import { invalid } from '../../errors.js';
import { whole } from '../../later/checks.js';

export const DEFAULT_TIMEOUT_MS = 10_000;
/** The longest time that a timer of Node.js can wait, in milliseconds. */
export const MAX_TIMEOUT_MS = 2_147_483_647;
export const DEFAULT_CONCURRENT = 16;
export const MAX_CONCURRENT = 1024;
/** Most requests that may wait until others have ended. */
export const MAX_WAITING = 16_384;

/** How any request may end; each use adds outcomes of its own. */
export type Ending = 'failed' | 'timedOut' | 'aborted';

export interface RequestLimits {
  /** Milliseconds for a request. */
  timeout: number;
  /** Most requests at a time. */
  maxConcurrent: number;
  /** Whether the time that a request waits for others counts, too. Then every one ends within `timeout`. */
  limitsWaiting: boolean;
}

type Counts<Outcome extends string> = Record<Outcome | Ending | 'requests' | 'dropped', number>;

/**
 * Requests to another machine, of which each ends in time, as an outcome that is counted. Those for the same name share
 * one; no more than allowed are in progress, and the others wait. None rejects.
 */
export class Requests<Outcome extends string> {
  readonly #limits: RequestLimits;
  readonly #counts: Counts<Outcome>;
  readonly #controllers = new Set<AbortController>();
  /** In progress or waiting, by name. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #queue: (() => void)[] = [];
  #active = 0;
  #closed = false;

  constructor(outcomes: readonly (Outcome | Ending)[], limits: RequestLimits) {
    this.#limits = limits;
    const names = ['requests', ...outcomes, 'dropped'] as const;
    this.#counts = Object.fromEntries(names.map((name) => [name, 0])) as Counts<Outcome>;
  }

  /** Whether a request of this name is in progress or waiting. */
  has(name: string): boolean {
    return this.#underWay.has(name);
  }

  /**
   * What a request gives; `undefined` if it gives nothing, does not end in time, or cannot be made.
   *
   * @param run makes the request; its signal says that nobody waits for it any more. It may reject
   */
  ask<T>(
    name: string,
    run: (signal: AbortSignal) => Promise<[Outcome | Ending, T?]>,
  ): Promise<T | undefined> {
    const known = this.#underWay.get(name) as Promise<T | undefined> | undefined;
    if (known !== undefined) return known;
    if (this.#queue.length >= MAX_WAITING) {
      this.#counts.dropped++;
      return Promise.resolve(undefined);
    }
    const asked = this.#request(run).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, asked);
    return asked;
  }

  async #request<T>(run: (signal: AbortSignal) => Promise<[Outcome | Ending, T?]>): Promise<T | undefined> {
    const { timeout, maxConcurrent, limitsWaiting } = this.#limits;
    const asked = performance.now();
    if (this.#active < maxConcurrent) this.#active++;
    else await new Promise<void>((done) => this.#queue.push(done));
    try {
      if (this.#closed) return undefined;
      const waited = limitsWaiting ? performance.now() - asked : 0;
      const [outcome, answer] =
        waited < timeout ? await this.#limited(timeout - waited, run) : (['timedOut'] as [Ending]);
      this.#counts.requests++;
      this.#counts[outcome]++;
      return answer;
    } finally {
      // The next waiting request takes the place of this one.
      const next = this.#queue.shift();
      if (next === undefined) this.#active--;
      else next();
    }
  }

  async #limited<T>(
    timeout: number,
    run: (signal: AbortSignal) => Promise<[Outcome | Ending, T?]>,
  ): Promise<[Outcome | Ending, T?]> {
    const controller = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, timeout);
    this.#controllers.add(controller);
    // What was asked may ignore the signal.
    const ended = new Promise<never>((_, fail) => {
      controller.signal.addEventListener('abort', () => fail(new Error('ended')), { once: true });
    });
    ended.catch(() => {});
    try {
      return await Promise.race([run(controller.signal), ended]);
    } catch {
      return [late ? 'timedOut' : controller.signal.aborted ? 'aborted' : 'failed'];
    } finally {
      clearTimeout(timer);
      this.#controllers.delete(controller);
      // The rest of the answer is not needed.
      controller.abort();
    }
  }

  /** How the requests ended, and how many are in progress or waiting. */
  metrics(): Counts<Outcome> & { waiting: number } {
    return { ...this.#counts, waiting: this.#underWay.size };
  }

  /** Settles once every request that is in progress or waiting now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  /** Ends requests in progress, and makes none any more. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#controllers) controller.abort();
  }
}

/** A limit that may be given, or its default. */
export function within(
  name: string,
  value: number | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  whole(name, value);
  if (value !== undefined && (value < least || value > most))
    throw invalid(`${name} must be ${least} to ${most}, not ${value}`);
  return value ?? otherwise;
}
