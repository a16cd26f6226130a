import { existsSync } from 'node:fs';
import { WarmshardError } from './errors.js';
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

interface Addon {
  NativeArtifactStore: NativeArtifactStoreClass;
  NativePipeline: { open(root: string, options: NativePipelineOptions): NativePipeline };
  fingerprintParts(parts: readonly Uint8Array[]): Uint8Array;
  artifactFooter(fingerprint: Uint8Array, payload: Uint8Array): Uint8Array;
  artifactIsSound(fingerprint: Uint8Array, sealed: Uint8Array): boolean;
  NativeShard: { open(path: string, options: NativeOptions, target: object): NativeShard };
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
function candidates(triple: string): string[] {
  const override = process.env.WARMSHARD_NATIVE_PATH;
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
  if (!/^\/.*\.node$/s.test(path)) return require(path);
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

function load(): Addon {
  const triple = platformTriple();
  const failures: string[] = [];
  for (const candidate of candidates(triple)) {
    try {
      const found = openBinary(candidate);
      if (typeof found?.setErrorClass === 'function') {
        loadedFrom = candidate;
        return found as Addon;
      }
      failures.push(`  ${candidate}: not a binary of warmshard`);
    } catch (error) {
      failures.push(`  ${candidate}: ${(error as Error).message.split('\n', 1)[0]}`);
    }
  }
  throw new WarmshardError(
    'ERR_NATIVE_LOAD',
    `warmshard found no native binary for ${triple} on Node.js ${process.version}. Tried:\n${failures.join('\n')}\n` +
      'Install again without --omit=optional and with a fresh lock file, build it in a checkout with ' +
      '`npm run build:native`, or set WARMSHARD_NATIVE_PATH to the binary.',
  );
}

let addon: Addon | undefined;
let loadedFrom: string | undefined;

/** Where the addon was loaded from; `undefined` where it was not. */
export function addonPath(): string | undefined {
  return loadedFrom === undefined ? undefined : require.resolve(loadedFrom);
}

/** The addon. */
export function native(): Addon {
  if (addon === undefined) {
    addon = load();
    addon.setErrorClass(WarmshardError);
  }
  return addon;
}

// Loaded with the package, so that the first `open` does not pay for it. A failure is told by the first call
// that needs the addon: requiring the package must not end a program that can do without a cache.
try {
  native();
} catch {}
