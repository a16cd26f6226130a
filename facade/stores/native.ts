// The addon's classes behind the typed stores; see src-rs/binding/stores/.

import type { NativeOptions } from '../native.js';

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

export interface NativeArtifactStore {
  insert(key: string, meta: NativeArtifactMeta): void;
  insertMany(keys: readonly string[], metas: readonly NativeArtifactMeta[]): void;
  get(key: string): NativeArtifactMeta | null;
  remove(key: string): boolean;
  loadAll(): [string, NativeArtifactMeta][];
  totals(): [count: number, bytes: number];
  clear(): number;
  putOutputs(key: string, outputs: readonly Uint8Array[], pack: boolean): void;
  output(key: string, index: number): Uint8Array | null;
  neverLend(): void;
  evictTo(bytes: number): number;
  flush(): void;
  syncPayloads(): Promise<void>;
  prepare(): Promise<void>;
  load(): void;
  durability(): unknown;
  stats(): NativeArtifactStats;
  /** Empty where nothing was wrong; nothing before the index was opened. */
  rejected(): string | null;
  close(): void;
}

export interface NativeArtifactStoreClass {
  open(
    dir: string,
    namespace: string | undefined,
    options: NativeOptions,
    deferred: boolean,
    maxBytes?: number,
  ): NativeArtifactStore;
}
