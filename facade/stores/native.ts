// The addon's functions behind the artifact store.

import type { Held, NativeOptions } from '../native.js';

export interface NativeArtifactMeta {
  outputNames: string[];
  outputSizes: number[];
  stdout: string | Uint8Array;
  stderr: string | Uint8Array;
  exitCode: number;
  totalSize: number;
  storedAt?: number;
}

export interface NativeArtifactStats {
  entries: number;
  bytes: number;
  recoveredRows: number;
  sweptFiles: number;
  rejected?: string | null;
  failed?: string | null;
}

export type NativeArtifactStore = Held<'artifacts'>;

/** See src-rs/binding/stores/artifact.rs. */
export interface ArtifactCalls {
  open(
    dir: string,
    namespace: string | undefined,
    options: NativeOptions,
    deferred: boolean,
    maxBytes?: number,
  ): NativeArtifactStore;
  insert(store: NativeArtifactStore, key: string, meta: NativeArtifactMeta): void;
  insertMany(store: NativeArtifactStore, keys: readonly string[], metas: readonly NativeArtifactMeta[]): void;
  get(store: NativeArtifactStore, key: string): NativeArtifactMeta | null;
  remove(store: NativeArtifactStore, key: string): boolean;
  removeMany(store: NativeArtifactStore, keys: string[]): number;
  loadAll(store: NativeArtifactStore): [string, NativeArtifactMeta][];
  totals(store: NativeArtifactStore): [count: number, bytes: number];
  clear(store: NativeArtifactStore): number;
  putOutputs(store: NativeArtifactStore, key: string, outputs: readonly Uint8Array[], pack: boolean): void;
  output(store: NativeArtifactStore, key: string, index: number): Uint8Array | null;
  neverLend(store: NativeArtifactStore): void;
  evictTo(store: NativeArtifactStore, bytes: number): number;
  flush(store: NativeArtifactStore): void;
  syncPayloads(store: NativeArtifactStore): Promise<void>;
  prepare(store: NativeArtifactStore): Promise<void>;
  load(store: NativeArtifactStore): void;
  durability(store: NativeArtifactStore): unknown;
  stats(store: NativeArtifactStore): NativeArtifactStats;
  /** Why the index could not be used. Empty if it could; `null` before it was opened. */
  rejected(store: NativeArtifactStore): string | null;
  close(store: NativeArtifactStore): void;
}
