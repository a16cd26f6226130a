import { invalid } from '../../errors.js';
import { object, show, whole } from '../../later/checks.js';
import { type Counters, metricsOf, type PipelineMetrics, type PipelineStore, ZERO } from './metrics.js';
import { keyOf, requireArtifact, requireFingerprint } from './rules.js';

const DEFAULT_MAX_ENTRIES = 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** The Map of V8 can hold 2^24 entries, including those that were deleted since it last grew. */
const MOST_ENTRIES = 4_194_304;

/** The budgets of a `MemoryPipelineCache`. If either is zero, it holds nothing. */
export interface MemoryPipelineOptions {
  /** Most artifacts. Default 1024, at most 4,194,304. */
  maxEntries?: number | undefined;
  /** Most bytes of all artifacts together. Default 64 MiB. */
  maxBytes?: number | undefined;
}

/**
 * Artifacts in the memory of this process. The least recently used is evicted first.
 *
 * What `get` returns is the store's own copy: the next `get` returns what you write to it.
 */
export class MemoryPipelineCache implements PipelineStore {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  /** In the order of use. The length is kept separately, because a transferred array has length 0. */
  readonly #held = new Map<string, { artifact: Uint8Array; length: number }>();
  readonly #counters: Counters = { ...ZERO };

  /** @throws WarmshardError `ERR_INVALID_ARG` */
  constructor(options: MemoryPipelineOptions = {}) {
    object('options', options);
    const { maxEntries = DEFAULT_MAX_ENTRIES, maxBytes = DEFAULT_MAX_BYTES } = options;
    whole('maxEntries', maxEntries);
    whole('maxBytes', maxBytes);
    if (maxEntries > MOST_ENTRIES)
      throw invalid(`maxEntries may be ${MOST_ENTRIES} at the most, not ${show(maxEntries)}`);
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /**
   * The artifact of a fingerprint, or `undefined`.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  get(fingerprint: Uint8Array): Uint8Array | undefined {
    requireFingerprint(fingerprint);
    const key = keyOf(fingerprint);
    const held = this.#sound(key);
    if (held === undefined) {
      this.#counters.misses++;
      return undefined;
    }
    this.#counters.hits++;
    this.#held.delete(key);
    this.#held.set(key, held);
    return held.artifact;
  }

  /**
   * Whether `get` would find an artifact. Not counted, and not a use.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  has(fingerprint: Uint8Array): boolean {
    requireFingerprint(fingerprint);
    return this.#sound(keyOf(fingerprint)) !== undefined;
  }

  /**
   * Stores a copy of an artifact. One that is larger than the whole budget is not stored but counted in
   * `metrics().rejectedPuts`; the older artifact of its fingerprint is removed nevertheless.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  put(fingerprint: Uint8Array, artifact: Uint8Array): void {
    requireFingerprint(fingerprint);
    requireArtifact(artifact);
    const key = keyOf(fingerprint);
    this.#drop(key);
    const { length } = artifact;
    if (length > this.#maxBytes || this.#maxBytes === 0 || this.#maxEntries === 0) {
      this.#counters.rejectedPuts++;
      return;
    }
    // Not `slice()`: that of a Buffer makes a view.
    this.#held.set(key, { artifact: new Uint8Array(artifact), length });
    this.#counters.cachedBytes += length;
    this.#counters.puts++;
    this.#evict();
  }

  /**
   * Removes an artifact. Returns whether there was one.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  remove(fingerprint: Uint8Array): boolean {
    requireFingerprint(fingerprint);
    return this.#drop(keyOf(fingerprint));
  }

  /** Removes every artifact. Returns how many there were. */
  clear(): number {
    const count = this.#held.size;
    this.#held.clear();
    this.#counters.cachedBytes = 0;
    return count;
  }

  /** Does nothing but count: memory cannot be flushed. */
  flush(): void {
    this.#counters.flushes++;
  }

  /** Statistics of this store. */
  metrics(): PipelineMetrics {
    return metricsOf({ ...this.#counters, entries: this.#held.size });
  }

  #sound(key: string): { artifact: Uint8Array; length: number } | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.artifact.length === held.length) return held;
    this.#drop(key);
    return undefined;
  }

  #drop(key: string): boolean {
    this.#counters.cachedBytes -= this.#held.get(key)?.length ?? 0;
    return this.#held.delete(key);
  }

  #evict(): void {
    for (const [key, { length }] of this.#held) {
      if (this.#held.size <= this.#maxEntries && this.#counters.cachedBytes <= this.#maxBytes) return;
      this.#drop(key);
      this.#counters.evictions++;
      this.#counters.evictedBytes += length;
    }
  }
}
