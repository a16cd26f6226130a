import { existsSync } from 'node:fs';
import { trustedVariable } from './environment.js';
import { WarmshardError } from './errors.js';
import { later } from './later.js';
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
  /** Two words of the handle in two halves each, only to be read: the era, and how many sidecars there were. */
  era(): Int32Array | undefined;
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

/** `linux-x64-musl`, say: the part of a platform package's name that tells the platform. */
export function platformTriple(): string {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  // glibc's loader has a fixed path; a musl system has none at it, unless a compatibility layer put one there.
  const musl =
    existsSync(`/lib/ld-musl-${arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`) &&
    !existsSync(arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2');
  return `${platform}-${arch}-${musl ? 'musl' : 'gnu'}`;
}

/**
 * Where the binary of this platform may be: a path given by hand, or one built in this checkout, or a platform
 * package, below this one or beside it as installers put it.
 */
export function candidates(triple: string): string[] {
  const override = trustedVariable('WARMSHARD_NATIVE_PATH');
  if (override) return [override];
  const file = `warmshard.${triple}.node`;
  const installed = `@warmshard/${triple}`;
  const built = `${__dirname}/../${file}`;
  // Asking first: a `require` that fails takes as long as one that does not. And one that has to search takes longer
  // than the rest of loading.
  if (existsSync(built)) return [built, installed];
  const below = `${__dirname}/../node_modules/${installed}/${file}`;
  const beside = `${__dirname}/../../${installed}/${file}`;
  const found = [below, beside].filter((path) => existsSync(path));
  return [...found, installed];
}

/** What `require` of a binary gives, without its search for the file. */
function openBinary(path: string): Partial<Addon> {
  if (!/^\/.*\.node$/s.test(path)) return searching()(path);
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

/** The `require` of this file also where a bundler has put one of its own in its place. */
const searching = (): NodeJS.Require =>
  (require('node:module') as typeof import('node:module')).createRequire(__filename);

/** A place where the binary was sought in vain. */
export interface Attempt {
  readonly place: string;
  readonly error: unknown;
}

/**
 * The addon from the first place that has one; what was tried before goes into `attempts`. Where the binary for this C
 * library cannot be had, that for the other one is tried: the guess may be wrong, and the linker refuses what does not fit.
 */
export function load(attempts: Attempt[]): Addon | undefined {
  // V8 ends the process that would put an addon's objects into a snapshot.
  if (process.execArgv.some((flag) => flag.startsWith('--build-snapshot'))) {
    attempts.push({ place: 'nowhere', error: 'a startup snapshot is being built' });
    return undefined;
  }
  const triple = platformTriple();
  for (const place of candidates(triple)) {
    const found = tryPlace(place, attempts);
    if (found !== undefined) return found;
  }
  const [system, arch, libc] = triple.split('-');
  if (libc === undefined || trustedVariable('WARMSHARD_NATIVE_PATH')) return undefined;
  return tryPlace(`@warmshard/${system}-${arch}-${libc === 'gnu' ? 'musl' : 'gnu'}`, attempts);
}

function tryPlace(place: string, attempts: Attempt[]): Addon | undefined {
  try {
    const found = openBinary(place);
    if (typeof found?.setErrorClass === 'function') {
      loadedFrom = place;
      return found as Addon;
    }
    attempts.push({ place, error: 'not a binary of warmshard' });
  } catch (error) {
    attempts.push({ place, error });
  }
  return undefined;
}

let addon: Addon | undefined;
let loadedFrom: string | undefined;

/** Where the addon was loaded from; `undefined` where it was not. */
export function addonPath(): string | undefined {
  return loadedFrom === undefined ? undefined : searching().resolve(loadedFrom);
}

/** The addon. */
export function native(): Addon {
  if (addon === undefined) {
    const attempts: Attempt[] = [];
    addon = load(attempts);
    if (addon === undefined) throw later().loadFailure(platformTriple(), attempts);
    addon.setErrorClass(WarmshardError);
  }
  return addon;
}

// Loaded with the package, so that the first `open` does not pay for it. A failure is told by the first call
// that needs the addon: requiring the package must not end a program that can do without a cache.
addon = load([]);
addon?.setErrorClass(WarmshardError);
