import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { invalid } from '../errors.js';
import { closeHandle, type Handle, hot, openHandle } from '../handle.js';
import { oneOf, unlike } from '../later/checks.js';
import { metaOf } from '../later/meta.js';
import { nativeOptions } from '../later/options.js';
import type { Values } from '../later/values.js';
import { viewParts } from '../later/views.js';
import type { WorkOptions } from '../later/work.js';
import { later } from '../later.js';
import { type NativeScripts, type ScriptCalls, table } from '../native.js';
import type { Host, ShardOptions } from '../options.js';
import { absolutePath } from '../paths.js';
import { writeValidator } from '../validator.js';

/** The default of `lockTimeout`, in milliseconds. It is short, because a compiler can do without the save. */
const LOCK_TIMEOUT_MS = 1000;

/** How a script cache is opened. Options that are not described here are those of a `Shard`. */
export interface ScriptCacheOptions<P extends string = 'code'>
  extends Pick<
    ShardOptions,
    | 'readOnly'
    | 'durability'
    | 'digest'
    | 'verify'
    | 'copy'
    | 'access'
    | 'maxBytes'
    | 'maxEntryBytes'
    | 'trust'
    | 'autoCompact'
  > {
  /** The program that compiles. What another build of it has compiled is stale. */
  host: Host;
  /** Names of the parts that belong to each source. Default `['code']`. */
  parts?: readonly P[] | undefined;
  /**
   * How a change of a source is detected. `'mtime'` (default): by its modification time and size. `'content'`: by a
   * digest of its content, for checkouts and container layers whose modification times mean nothing; each process then
   * reads each source once.
   */
  validate?: 'mtime' | 'content' | undefined;
  /** How long a save waits for other processes, in milliseconds, before it is skipped. Default 1000. */
  lockTimeout?: number | undefined;
  /**
   * Store paths below this absolute folder relative to it, so that the cache can be used at another path. Symbolic
   * links in it are resolved when the cache is opened.
   */
  root?: string | undefined;
}

/** What is saved besides the parts. */
export interface SaveMeta {
  /** When the entry expires, in milliseconds since the epoch. Default: never. */
  expiresAt?: number | undefined;
}

/** Statistics of a script cache. The counters from `hits` on are this handle's own. */
export interface ScriptCacheStats {
  /** Sources with a live entry, of all hosts. */
  entries: number;
  /** Bytes of their parts. */
  bytes: number;
  /** Look-ups that found an artifact. */
  hits: number;
  /** Look-ups that found nothing, including those of sources that do not exist. */
  misses: number;
  /** Look-ups of sources that had changed, or that another host build had compiled. */
  stale: number;
  /** Look-ups whose entry was damaged. */
  corrupt: number;
  /** Saves and puts that stored something. */
  saves: number;
  /** Saves and puts that were skipped, for any reason. */
  skippedSaves: number;
  /** Of those: the source had changed since `load` missed it. */
  changedSources: number;
  /** Of those: another process held the lock for longer than `lockTimeout`. */
  lockTimeouts: number;
  /** Why the last one of them was skipped. */
  lastSkip?: string;
  /** Entries dropped by compaction and `evictStale`. */
  evictions: number;
  /** Bytes of the file. */
  fileBytes: number;
  /** Rises with every published change, of any process. */
  generation: number;
  /** Why the file at the path reads as an empty cache; the next save replaces it. */
  rejected?: string;
}

/** A source in the cache. */
export interface ScriptInfo<P extends string = 'code'> {
  /** Its canonical path. */
  path: string;
  /** Bytes of each part; by position (`'0'`, `'1'`, ...) if the host that compiled it had more or fewer parts. */
  bytes: Record<P, number>;
  /** The version of the host that compiled it. */
  version: string;
  /** When it was saved. */
  cachedAt: Date;
}

/**
 * What a program has compiled from source files, by canonical path, in one file that every process shares.
 *
 * The cache never stops its host: whatever is missing, changed, damaged or made by another build reads as absent, and
 * what the system refuses to store is skipped and counted. After opening, `load`, `save`, `get` and `put` throw only
 * for wrong arguments and for a closed cache.
 *
 * What `load` returns is lent, not copied: see `Shard`.
 *
 * @example
 * const cache = ScriptCache.open('/var/cache/app/templates.shard', { host: { name: 'app', version: '1.4.0' } });
 * let parts = cache.load('views/home.tpl');
 * if (parts === undefined) cache.save('views/home.tpl', (parts = { code: compile('views/home.tpl') }));
 */
export class ScriptCache<P extends string = 'code'> {
  /**
   * Opens the cache at `path`; missing folders are made. A missing file is an empty cache, and so is one that is
   * damaged, of another format, or not a script cache.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
   */
  static open<P extends string = 'code'>(path: string, options: ScriptCacheOptions<P>): ScriptCache<P> {
    return new ScriptCache<P>(absolutePath(path), options);
  }

  /** The path of the file; absolute. */
  readonly path: string;
  /** Whether this handle was opened with `readOnly`. */
  readonly readOnly: boolean;

  readonly #handle: Handle;
  readonly #calls: ScriptCalls;
  readonly #scripts: NativeScripts;
  #coding: Values<Uint8Array> | undefined;

  private constructor(path: string, options: ScriptCacheOptions<P>) {
    if (typeof options !== 'object' || options === null || options.host === undefined)
      throw invalid('a script cache needs options.host: the name and version of the program that compiles');
    const { validate = 'mtime', root, parts = ['code'], lockTimeout = LOCK_TIMEOUT_MS } = options;
    oneOf('validate', validate, ['mtime', 'content']);
    const parsed = nativeOptions<Uint8Array>({ ...options, parts, lockTimeout, codec: 'bytes' });
    if (root !== undefined && isAbsolute(root)) parsed.root = canonical(root);
    this.#handle = openHandle(path, { ...parsed, kind: 'script' }, options.copy);
    this.#calls = {} as ScriptCalls;
    this.#scripts = table('scripts').of(this.#handle.native, validate === 'content', this.#calls);
    this.path = path;
    this.readOnly = parsed.readOnly;
  }

  /** How values become bytes; made when something is stored. */
  get #values(): Values<Uint8Array> {
    this.#coding ??= new (later().Values)<Uint8Array>(
      { parts: this.#handle.partNames },
      this.#handle.partNames,
    );
    return this.#coding;
  }

  /**
   * What was compiled from a source in its present state: all parts or none. A hit on an absolute path that this handle
   * has looked up before takes one system call.
   *
   * @param source path of the source file; symbolic links are followed. A file that does not exist, is not a regular
   * file, or cannot be examined is a miss
   * @throws WarmshardError `ERR_INVALID_ARG` if `source` is not a string, `ERR_CLOSED`
   */
  load(source: string): Record<P, Uint8Array> | undefined {
    return viewParts(this.#handle, this.#calls.load(source)) as Record<P, Uint8Array> | undefined;
  }

  /**
   * Stores what was compiled from a source. Pass the name that `load` was called with: if the source has changed since
   * `load` missed it, the artifact may have been compiled from either version, and it is not stored.
   *
   * @returns whether it was stored. If not, it is counted in `stats()`: the source has changed or is gone, the lock was
   * not free in time, the disk is full, the cache is read-only, the entry is larger than `maxEntryBytes`, or the host's
   * binary cannot be identified
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  save(source: string, parts: Record<P, Uint8Array>, meta?: SaveMeta): boolean {
    const encoded = this.#encode(parts);
    metaOf(this.#handle).write({ expiresAt: meta?.expiresAt });
    return this.#calls.save(source, encoded) === 1;
  }

  /**
   * What was stored under a path and a modification time: all parts or none. The file system is not asked. Entries that
   * were saved by content (`validate`) are not found by a time.
   *
   * @param path used as it is: pass a canonical one
   * @param mtimeSec whole seconds since the epoch; see `fileMtime`
   * @param mtimeNsec nanoseconds of the second
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_INVALID_KEY`, `ERR_CLOSED`
   */
  get(path: string, mtimeSec: number, mtimeNsec: number): Record<P, Uint8Array> | undefined {
    requirePath(path);
    writeValidator(this.#handle, { mtimeSec, mtimeNsec });
    return viewParts(this.#handle, hot(this.#handle).getPartsChecked(path)) as
      | Record<P, Uint8Array>
      | undefined;
  }

  /**
   * Stores under a path and a modification time. What the system refuses is skipped and counted, as by `save`.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_INVALID_KEY`, `ERR_CLOSED`
   */
  put(
    path: string,
    mtimeSec: number,
    mtimeNsec: number,
    parts: Record<P, Uint8Array>,
    meta?: SaveMeta,
  ): void {
    requirePath(path);
    const encoded = this.#encode(parts);
    metaOf(this.#handle).write({ validator: { mtimeSec, mtimeNsec }, expiresAt: meta?.expiresAt });
    this.#calls.putSource(path, encoded);
  }

  #encode(parts: Record<P, Uint8Array>): readonly Uint8Array[] {
    // With named parts it is always an array.
    return this.#values.encode(parts as unknown as Uint8Array) as Uint8Array[];
  }

  /**
   * Statistics of the cache, and of what this handle did. Summing up the bytes takes a walk over the entries.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  stats(): ScriptCacheStats {
    const { native } = this.#handle;
    const { lastSkip, ...tally } = table('scripts').tally(this.#scripts);
    const [, bytes] = table('shard').totals(native);
    const { entries, hits, misses, stale, corrupt, evictions, fileBytes, generation, rejected } =
      table('shard').stats(native);
    return {
      entries,
      bytes,
      hits,
      misses,
      stale,
      corrupt,
      ...tally,
      ...(lastSkip != null && { lastSkip }),
      evictions,
      fileBytes,
      generation,
      ...(rejected != null && { rejected }),
    };
  }

  /**
   * Every source in the cache, of all hosts, newest first.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  list(): ScriptInfo<P>[] {
    const names = this.#handle.partNames;
    return table('shard')
      .list(this.#handle.native)
      .map(({ key, partLens, hostVersion, cachedMs }) => ({
        path: key,
        bytes: Object.fromEntries(
          partLens.map((length, i) => [partLens.length === names.length ? names[i] : i, length]),
        ),
        version: hostVersion,
        cachedAt: new Date(cachedMs),
      }));
  }

  /**
   * Drops what was compiled from sources that are gone or have changed, and what other hosts have compiled. Returns how
   * many entries were dropped.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  evictStale(): number {
    return table('shard').evictStale(this.#handle.native);
  }

  /** `evictStale` off the event loop. Rejects with what it throws, and with `ERR_ABORTED`. */
  async evictStaleAsync(options?: WorkOptions): Promise<number> {
    return later().runWork(options, (job) => table('shard').evictStaleAsync(this.#handle.native, job));
  }

  /**
   * Drops everything and removes the file; if it is gone already, does nothing. Other processes see this at their next
   * look-up.
   *
   * @throws WarmshardError as `evictStale`
   */
  clear(): void {
    table('shard').removeFile(this.#handle.native);
  }

  /**
   * Makes everything saved so far, by any process, survive a power cut.
   *
   * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  flush(): void {
    table('shard').flush(this.#handle.native);
  }

  /** `flush` off the event loop. */
  async flushAsync(options?: WorkOptions): Promise<void> {
    return later().runWork(options, (job) => table('shard').flushAsync(this.#handle.native, job));
  }

  /** Whether this handle has been closed. */
  get closed(): boolean {
    return this.#handle.closed;
  }

  /** Closes this handle; closing it again does nothing. What it returned stays valid. */
  close(): void {
    closeHandle(this.#handle);
  }

  /** `using cache = ScriptCache.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function requirePath(path: string): void {
  if (typeof path !== 'string') throw unlike('path must be a string', path);
}

/** The folder's path as it is in the canonical paths of sources below it. */
function canonical(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}
