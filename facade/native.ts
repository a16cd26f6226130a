import { WarmshardError } from './errors.js';
import type { Batch } from './later/values.js';
import { loadUsual } from './loader.js';
import type { ShardStats } from './reports.js';
import { seldom } from './seldom.js';
import type { ArtifactCalls } from './stores/native.js';
import type { Counters } from './stores/pipeline/metrics.js';

/** What the addon puts on the object that is passed to `open`; see `FIRST` in src-rs/binding/hot.rs. */
export interface FirstCalls {
  /** The status is in the answer; see `firstGet`. */
  get(key: string): void;
  exchange: ArrayBuffer;
}

/** The other frequent calls; see `OTHERS` there. */
export interface HotCalls {
  /** `get` that is not counted. */
  getAgain(key: string): number;
  getChecked(key: string): number;
  getParts(key: string): number;
  getPartsChecked(key: string): number;
  has(key: string): number;
  hasChecked(key: string): number;
  put(key: string, value: Uint8Array | readonly Uint8Array[]): void;
  putWith(key: string, value: Uint8Array | readonly Uint8Array[]): void;
  copyPart(part: number, target: Uint8Array): number;
  placePart(part: number, slab?: ArrayBuffer): number;
  getMany(keys: readonly string[], answers: Uint32Array): number;
  /** Writes 1 for each key without an entry; returns how many there are. */
  missing(keys: readonly string[], answers: Uint8Array): number;
  /** Counts hits that were answered from kept answers, and looks at the clock. */
  countKept(hits: number): number;
}

/** The frequent calls of a script cache; see src-rs/binding/stores/script.rs. */
export interface ScriptCalls {
  load(source: string): number;
  save(source: string, parts: readonly Uint8Array[]): number;
  putSource(path: string, parts: readonly Uint8Array[]): number;
}

/** The other functions for script caches; see there. */
export interface ScriptsCalls {
  /** Puts the `ScriptCalls` on an object. */
  of(shard: NativeShard, byContent: boolean, target: object): NativeScripts;
  /** The script cache's own counters. */
  tally(scripts: NativeScripts): {
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
export type Kind = 'shard' | 'script' | 'autoload' | 'artifact' | 'program';

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

/** A value behind which the addon keeps something that only its functions can use. */
export interface Held<T extends string> {
  readonly held: T;
}
export type NativeShard = Held<'shard'>;
export type NativeCursor = Held<'cursor'>;
export type NativeJob = Held<'job'>;
export type NativeScripts = Held<'scripts'>;
export type NativePipeline = Held<'pipeline'>;

/** See src-rs/binding/seldom.rs. */
export interface SeldomCalls {
  /** The version of warmshard that the binary was built from. */
  version(): string;
  neverLend(shard: NativeShard): void;
  check(shard: NativeShard): void;
  fastNumber(shard: NativeShard): number;
  size(shard: NativeShard): number;
  generation(shard: NativeShard): number;
  /** The published generation in two halves, in memory shared by all processes, which must not be written to. */
  page(shard: NativeShard): Int32Array | null | undefined;
  /** Changes when the handle switches to another page. */
  pageNumber(shard: NativeShard): number;
  info(shard: NativeShard, key: string): NativeEntryInfo | null;
  list(shard: NativeShard): NativeEntryInfo[];
  cursor(shard: NativeShard): NativeCursor;
  nextKeys(cursor: NativeCursor, most: number): string[];
  remove(shard: NativeShard, key: string): boolean;
  clear(shard: NativeShard): void;
  /** `clear`, and removes the file. */
  removeFile(shard: NativeShard): void;
  totals(shard: NativeShard): [own: number, partBytes: number];
  /** `undefined` if the thread is being ended. */
  writeMany(shard: NativeShard, batch: Batch, replace: boolean): number | undefined;
  writeManyAsync(shard: NativeShard, batch: Batch, replace: boolean, job: NativeJob): Promise<number>;
  /** Passes a run of a batch to the addon. Does nothing unless a batch is being written. */
  takeRun(...keysAndValues: unknown[]): void;
  evictStale(shard: NativeShard): number;
  evictStaleAsync(shard: NativeShard, job: NativeJob): Promise<number>;
  compact(shard: NativeShard): unknown;
  compactAsync(shard: NativeShard, job: NativeJob): Promise<unknown>;
  verify(shard: NativeShard): unknown;
  verifyAsync(shard: NativeShard, job: NativeJob): Promise<unknown>;
  flush(shard: NativeShard): void;
  flushAsync(shard: NativeShard, job: NativeJob): Promise<void>;
  durability(shard: NativeShard): unknown;
  stats(
    shard: NativeShard,
  ): Omit<ShardStats, 'rejected' | 'door' | 'doorShut'> & { rejected?: string | null };
}

/** See src-rs/binding/work.rs. */
export interface WorkCalls {
  begin(): NativeJob;
  abort(job: NativeJob): void;
  progress(job: NativeJob): [done: number, total: number];
}

/** See src-rs/binding/stores/pipeline.rs. */
export interface PipelineCalls {
  open(root: string, options: NativePipelineOptions): NativePipeline;
  /** Lent memory, or a copy. */
  get(pipeline: NativePipeline, fingerprint: Uint8Array): ArrayBuffer | Uint8Array | null;
  has(pipeline: NativePipeline, fingerprint: Uint8Array): boolean;
  put(pipeline: NativePipeline, fingerprint: Uint8Array, payload: Uint8Array): void;
  remove(pipeline: NativePipeline, fingerprint: Uint8Array): boolean;
  clear(pipeline: NativePipeline): number;
  flush(pipeline: NativePipeline): void;
  flushAsync(pipeline: NativePipeline): Promise<void>;
  durability(pipeline: NativePipeline): unknown;
  metrics(pipeline: NativePipeline): Counters;
  close(pipeline: NativePipeline): void;
  fingerprintParts(parts: readonly Uint8Array[]): Uint8Array;
  artifactFooter(fingerprint: Uint8Array, payload: Uint8Array): Uint8Array;
  artifactIsSound(fingerprint: Uint8Array, sealed: Uint8Array): boolean;
}

export interface NativePipelineOptions {
  readOnly: boolean;
  mapped: boolean;
  maxBytes?: number;
  trust?: string;
}

/** See src-rs/binding/errors.rs. */
export interface ErrorCalls {
  madeOf(errors: typeof WarmshardError): void;
}

/** Tables of functions, each of which the addon makes when it is first needed. */
export interface Tables {
  shard: SeldomCalls;
  work: WorkCalls;
  scripts: ScriptsCalls;
  artifacts: ArtifactCalls;
  pipeline: PipelineCalls;
  errors: ErrorCalls;
}

/** What a program needs from its first `open` to its first hit; see src-rs/binding/shard.rs. */
export interface Addon {
  /** Without options, the defaults apply. */
  open(path: string, options: NativeOptions | undefined, target: object): NativeShard;
  /** Puts the `HotCalls` on an object. */
  attach(shard: NativeShard, target: object): void;
  window(shard: NativeShard, part: number): ArrayBuffer | undefined;
  close(shard: NativeShard): void;
  functionsOf<T extends keyof Tables>(table: T): Tables[T];
}

/** What the addon finds on its exports when it is loaded: the class of its errors. */
const given = { WarmshardError };

function isOurs(found: Partial<Addon>): found is Addon {
  return found.functionsOf !== undefined && 'WarmshardError' in found;
}

let addon: Addon | undefined;

/** The addon. Throws if it cannot be loaded. */
export function native(): Addon {
  addon ??= seldom().findAddon(isOurs, given);
  return addon;
}

const tables: { [T in keyof Tables]?: Tables[T] } = {};

/** A table of the addon's functions. */
export function table<T extends keyof Tables>(name: T): Tables[T] {
  const made = tables[name] ?? native().functionsOf(name);
  tables[name] = made;
  return made;
}

// Loaded with the package, so that the first `open` does not pay for it. If that fails, the first call that needs the
// addon throws: requiring the package must not end a program that can do without a cache.
addon = loadUsual(isOurs, given);
