import { invalid } from '../../errors.js';
import { object, oneOf } from '../../later/checks.js';
import { type Counters, metricsOf, type PipelineMetrics, type PipelineStore, ZERO } from './metrics.js';
import { requireArtifact, requireFingerprint } from './rules.js';

/** Most layers of one store. */
const MAX_LAYERS = 16;

/** How a `LayeredPipelineCache` writes. */
export interface LayeredPipelineOptions {
  /** Which layers `put` writes: the first (default), or all of them. */
  write?: 'first' | 'all' | undefined;
}

/**
 * Several stores in layers, the fastest first. A look-up asks them in that order; what a slower one has is put into the
 * faster ones.
 *
 * The layers remain yours to close.
 */
export class LayeredPipelineCache implements PipelineStore {
  readonly #layers: readonly PipelineStore[];
  readonly #writeAll: boolean;
  #hits = 0;
  #misses = 0;

  /**
   * The layers as an array, or one by one.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  constructor(layers: readonly PipelineStore[], options?: LayeredPipelineOptions);
  constructor(...layers: PipelineStore[]);
  constructor(first: readonly PipelineStore[] | PipelineStore, ...rest: unknown[]) {
    const layers = Array.isArray(first) ? [...first] : [first, ...rest];
    const options = ((Array.isArray(first) ? rest[0] : undefined) ?? {}) as LayeredPipelineOptions;
    if (layers.length === 0 || layers.length > MAX_LAYERS || !layers.every(isStore))
      throw invalid(
        `layers must be an array of 1 to ${MAX_LAYERS} stores, each with get, put, flush and metrics`,
      );
    object('options', options);
    oneOf('write', options.write, ['first', 'all']);
    this.#layers = layers;
    this.#writeAll = options.write === 'all';
  }

  /**
   * The artifact of a fingerprint, from the first layer that has it, or `undefined`.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, and what a layer throws
   */
  get(fingerprint: Uint8Array): Uint8Array | undefined {
    requireFingerprint(fingerprint);
    for (const [depth, layer] of this.#layers.entries()) {
      const artifact = layer.get(fingerprint);
      if (artifact === undefined) continue;
      this.#hits++;
      for (const faster of this.#layers.slice(0, depth).reverse()) fill(faster, fingerprint, artifact);
      return artifact;
    }
    this.#misses++;
    return undefined;
  }

  /**
   * Stores an artifact in the first layer, or in all of them; see the option `write`.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, and what a layer throws
   */
  put(fingerprint: Uint8Array, artifact: Uint8Array): void {
    requireFingerprint(fingerprint);
    requireArtifact(artifact);
    each(this.#writeAll ? this.#layers : this.#layers.slice(0, 1), (layer) =>
      layer.put(fingerprint, artifact),
    );
  }

  /** Flushes every layer, then throws the first error, if any. */
  flush(): void {
    each(this.#layers, (layer) => layer.flush());
  }

  /**
   * Look-ups, hits and misses are those of this store: each `get` counts once, however many layers it asked. Everything
   * else is the sum over the layers: an artifact in two of them counts as two entries, and filling a layer counts as a
   * put.
   */
  metrics(): PipelineMetrics {
    const sum: Counters = { ...ZERO };
    for (const layer of this.#layers) {
      const metrics = layer.metrics();
      for (const name of Object.keys(ZERO) as (keyof Counters)[]) sum[name] += metrics[name];
    }
    return metricsOf({ ...sum, hits: this.#hits, misses: this.#misses });
  }
}

/** Whether something can be a layer. */
export function isStore(value: unknown): value is PipelineStore {
  const store = value as Partial<PipelineStore> | null;
  return (
    typeof store === 'object' &&
    store !== null &&
    [store.get, store.put, store.flush, store.metrics].every((method) => typeof method === 'function')
  );
}

/** Puts what was found into a faster store. If that fails, because it is read-only, look-ups only stay slow. */
export function fill(store: PipelineStore, fingerprint: Uint8Array, artifact: Uint8Array): void {
  try {
    store.put(fingerprint, artifact);
  } catch {}
}

function each(layers: readonly PipelineStore[], run: (layer: PipelineStore) => void): void {
  const errors: unknown[] = [];
  for (const layer of layers) {
    try {
      run(layer);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
