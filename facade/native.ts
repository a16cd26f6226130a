import { WarmshardError } from './errors.js';

import type { Batch } from './later/values.js';

import { loadUsual } from './loader.js';

import type { ShardStats } from './reports.js';
import { seldom } from './seldom.js';
import type { ArtifactCalls } from './stores/native.js';
import type { Counters } from './stores/pipeline/metrics.js';

/** What the addon puts on the object that is handed to `open`; see `FIRST` of src-rs/binding/hot.rs. */
export interface FirstCalls {
  /** The status is in the answer; see `firstGet`. */
  get(key: string): void;
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
  put(key: string, value: Uint8Array | readonly Uint8Array[]): void;
  putWith(key: string, value: Uint8Array | readonly Uint8Array[]): void;
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

/** See there. */
export interface ScriptsCalls {
  /** Puts the `ScriptCalls` on an object. */
  of(shard: NativeShard, byContent: boolean, target: object): NativeScripts;
  /** What a script cache counts by itself. */
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

/** What the addon keeps behind a value of JavaScript, which only its functions can use. */
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
  /** The published generation in two halves, where all processes see it: only to be read. */
  page(shard: NativeShard): Int32Array | null | undefined;
  /** Differs from what it was while the handle used another page. */
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
  /** `undefined` where the thread is being ended. */
  writeMany(shard: NativeShard, batch: Batch, replace: boolean): number | undefined;
  writeManyAsync(shard: NativeShard, batch: Batch, replace: boolean, job: NativeJob): Promise<number>;
  /** Takes a run of a batch in. Does nothing but while one is being written. */
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
  /** Memory that is lent, or a copy. */
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

/** The addon's functions that it makes when somebody needs one of a table. */
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
  /** Without options all are as they are by default. */
  open(path: string, options: NativeOptions | undefined, target: object): NativeShard;
  /** Puts the `HotCalls` on an object. */
  attach(shard: NativeShard, target: object): void;
  window(shard: NativeShard, part: number): ArrayBuffer | undefined;
  close(shard: NativeShard): void;
  functionsOf<T extends keyof Tables>(table: T): Tables[T];
}

/** What the addon finds on its exports when it is loaded: the class that it makes its errors of. */
const given = { WarmshardError };

function isOurs(found: Partial<Addon>): found is Addon {
  return found.functionsOf !== undefined && 'WarmshardError' in found;
}

let addon: Addon | undefined;

/** The addon. */
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

// Loaded with the package, so that the first `open` does not pay for it. A failure is told by the first call
// that needs the addon: requiring the package must not end a program that can do without a cache.
addon = loadUsual(isOurs, given);
