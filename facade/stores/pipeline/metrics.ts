/** Statistics of a store of artifacts. The counters are this object's own. */
export interface PipelineMetrics {
  /** Calls of `get`. */
  lookups: number;
  /** Those that found an artifact. */
  hits: number;
  /** Those that found none, or a damaged one. */
  misses: number;
  /** Artifacts stored. */
  puts: number;
  /** Artifacts not stored, because they were too large or the system refused. */
  rejectedPuts: number;
  /** Artifacts dropped to stay within the budget. */
  evictions: number;
  /** Their bytes. */
  evictedBytes: number;
  /** Calls of `flush` and `flushAsync`. */
  flushes: number;
  /** Those that failed. */
  flushErrors: number;
  /** Bytes held now; on disk the sizes of the files, including their footers. */
  cachedBytes: number;
  /** Artifacts held now. */
  entries: number;
  /** Hits in a million look-ups, a whole number; 0 before the first look-up. */
  hitRatePpm: number;
}

/** What every store of artifacts can do. Your own implementation can be a layer, too. */
export interface PipelineStore {
  /** The artifact of a fingerprint, or `undefined`. Treat it as read-only. */
  get(fingerprint: Uint8Array): Uint8Array | undefined;
  /** Stores an artifact, if it can; what it could not store is counted. */
  put(fingerprint: Uint8Array, artifact: Uint8Array): void;
  /** Makes what was put survive a power cut, if the store can. */
  flush(): void;
  /** Statistics of the store. */
  metrics(): PipelineMetrics;
}

/** The counters that metrics are made from. */
export type Counters = Omit<PipelineMetrics, 'lookups' | 'hitRatePpm'>;

export const ZERO: Readonly<Counters> = {
  hits: 0,
  misses: 0,
  puts: 0,
  rejectedPuts: 0,
  evictions: 0,
  evictedBytes: 0,
  flushes: 0,
  flushErrors: 0,
  cachedBytes: 0,
  entries: 0,
};

/** Metrics from counters. */
export function metricsOf(counters: Counters): PipelineMetrics {
  const { hits, misses, ...rest } = counters;
  const lookups = hits + misses;
  const hitRatePpm = lookups === 0 ? 0 : Math.floor((hits * 1_000_000) / lookups);
  return { lookups, hits, misses, ...rest, hitRatePpm };
}

/** Metrics of a store in front of another one: look-ups are its own, everything else is the other's. */
export function metricsBefore(
  local: PipelineStore | undefined,
  hits: number,
  misses: number,
): PipelineMetrics {
  const metrics = local?.metrics() ?? ZERO;
  const counters = Object.fromEntries(
    Object.keys(ZERO).map((name) => [name, metrics[name as keyof Counters]]),
  ) as unknown as Counters;
  return metricsOf({ ...counters, hits, misses });
}
