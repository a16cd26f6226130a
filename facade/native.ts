import { WarmshardError } from './errors.js';
import { later } from './later.js';
import { type Attempt, load, platformTriple } from './loader.js';
import type { ShardStats } from './reports.js';
import type { NativeArtifactStoreClass } from './stores/native.js';
import type { Counters } from './stores/pipeline/metrics.js';

/** What the addon puts on the object that is handed to `open`; see `FIRST` of src-rs/binding/hot.rs. */
export interface FirstCalls {
  get(key: string): number;
  exchange: ArrayBuffer;
}

/** The others that are called often; `OTHERS` there. */
export interface HotCalls {
  /** `get` that is not counted. */
  getAgain(key: string): number;
  getChecked(key: string): number;
  getParts(key: string): number;
  getPartsChecked(key: string): number;
  has(key: string): number;
  hasChecked(key: string): number;
  put(key: string, value: Uint8Array | readonly Uint8Array[]): number;
  putWith(key: string, value: Uint8Array | readonly Uint8Array[]): number;
  copyPart(part: number, target: Uint8Array): number;
  placePart(part: number, slab?: ArrayBuffer): number;
  getMany(keys: readonly string[], answers: Uint32Array): number;
  /** Writes 1 for each key without an entry; gives how many there are. */
  missing(keys: readonly string[], answers: Uint8Array): number;
  /** Counts hits that were answered here, and looks at the clock. */
  countKept(hits: number): number;
}

/** The same for a script cache; see src-rs/binding/stores/script.rs. */
export interface ScriptCalls {
  load(source: string): number;
  save(source: string, parts: readonly Uint8Array[]): number;
  putSource(path: string, parts: readonly Uint8Array[]): number;
}

/** What a script cache counts by itself. */
export interface NativeScripts {
  tally(): {
    saves: number;
    skippedSaves: number;
    changedSources: number;
    lockTimeouts: number;
    lastSkip?: string | null;
  };
}

export interface NativeEntryInfo {
  key: string;
  partLens: number[];
  hostName: string;
  hostVersion: string;
  own: boolean;
  cachedMs: number;
  expiresMs: number;
  lastUsedMs: number;
  generation: number;
  validatorKind: number;
  validator: Uint8Array;
  racy: boolean;
}

/** What a file is used for: `Kind` in src-rs/core/src/kind.rs. */
export type Kind = 'shard' | 'script' | 'autoload' | 'artifact';

export interface NativeOptions {
  kind?: Kind | undefined;
  hostName: string;
  hostVersion: string;
  hostSchema?: number | undefined;
  hostBinary?: string | undefined;
  parts: string[];
  readOnly: boolean;
  syncEach: boolean;
  digest?: string | undefined;
  digestKey?: Uint8Array | undefined;
  verifyAlways: boolean;
  mapped: boolean;
  maxBytes?: number | undefined;
  maxEntryBytes?: number | undefined;
  lockTimeout?: number | undefined;
  root?: string | undefined;
  trust?: string | undefined;
  autoCompact: boolean;
}

export interface NativeJob {
  abort(): void;
  progress(): [done: number, total: number];
}

type Metas = readonly (Uint8Array | undefined)[];
type Values = readonly (Uint8Array | readonly Uint8Array[])[];

/** The generated part of the addon; see src-rs/binding/shard.rs. */
export interface NativeShard {
  /** Puts the `HotCalls` on an object. */
  attach(target: object): void;
  close(): void;
  neverLend(): void;
  window(part: number): ArrayBuffer | undefined;
  fastNumber(): number;
  /** The published generation in two halves, where all processes see it: only to be read. */
  page(): Int32Array | undefined;
  check(): void;
  size(): number;
  generation(): number;
  info(key: string): NativeEntryInfo | null;
  list(): NativeEntryInfo[];
  cursor(): { nextKeys(most: number): string[] };
  remove(key: string): boolean;
  clear(): void;
  /** `clear`, and removes the file. */
  removeFile(): void;
  totals(): [own: number, partBytes: number];
  writeMany(keys: readonly string[], values: Values, metas: Metas, replace: boolean): number;
  writeManyAsync(
    keys: readonly string[],
    values: Values,
    metas: Metas,
    replace: boolean,
    job: NativeJob,
  ): Promise<number>;
  evictStale(): number;
  evictStaleAsync(job: NativeJob): Promise<number>;
  compact(): unknown;
  compactAsync(job: NativeJob): Promise<unknown>;
  verify(): unknown;
  verifyAsync(job: NativeJob): Promise<unknown>;
  flush(): void;
  flushAsync(job: NativeJob): Promise<void>;
  durability(): unknown;
  stats(): Omit<ShardStats, 'rejected' | 'door' | 'doorShut'> & { rejected?: string | null };
}

/** See src-rs/binding/stores/pipeline.rs. */
export interface NativePipeline {
  /** Memory that is lent, or a copy. */
  get(fingerprint: Uint8Array): ArrayBuffer | Uint8Array | null;
  has(fingerprint: Uint8Array): boolean;
  put(fingerprint: Uint8Array, payload: Uint8Array): void;
  remove(fingerprint: Uint8Array): boolean;
  clear(): number;
  flush(): void;
  flushAsync(): Promise<void>;
  durability(): unknown;
  metrics(): Counters;
  close(): void;
}

export interface NativePipelineOptions {
  readOnly: boolean;
  mapped: boolean;
  maxBytes?: number;
  trust?: string;
}

export interface Addon {
  NativeArtifactStore: NativeArtifactStoreClass;
  NativePipeline: { open(root: string, options: NativePipelineOptions): NativePipeline };
  fingerprintParts(parts: readonly Uint8Array[]): Uint8Array;
  artifactFooter(fingerprint: Uint8Array, payload: Uint8Array): Uint8Array;
  artifactIsSound(fingerprint: Uint8Array, sealed: Uint8Array): boolean;
  NativeShard: {
    open(path: string, options: NativeOptions, target: object): NativeShard;
    /** The version of warmshard that the binary was built from. */
    version(): string;
  };
  NativeScripts: { of(shard: NativeShard, byContent: boolean, target: object): NativeScripts };
  NativeJob: new () => NativeJob;
  setErrorClass(errorClass: typeof WarmshardError): void;
}

const isOurs = (found: Partial<Addon>): found is Addon => typeof found.setErrorClass === 'function';

let addon: Addon | undefined;

/** The addon. */
export function native(): Addon {
  if (addon === undefined) {
    const attempts: Attempt[] = [];
    addon = load(attempts, isOurs);
    if (addon === undefined) throw later().loadFailure(platformTriple(), attempts);
    addon.setErrorClass(WarmshardError);
  }
  return addon;
}

// Loaded with the package, so that the first `open` does not pay for it. A failure is told by the first call
// that needs the addon: requiring the package must not end a program that can do without a cache.
addon = load([], isOurs);
addon?.setErrorClass(WarmshardError);
