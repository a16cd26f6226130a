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

/** How long `save` waits for other processes before it gives up, in milliseconds: a compiler goes on without. */
const LOCK_TIMEOUT_MS = 1000;

/** How a script cache is opened. What is not said here is as for a `Shard`. */
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
   * What tells that a source has not changed: `'mtime'` (default), its modification time and size; `'content'`, a
   * digest of its content, for checkouts and container layers whose modification times mean nothing. By content
   * each process reads each source once.
   */
  validate?: 'mtime' | 'content' | undefined;
  /** How long a save waits for other processes, in milliseconds, before it is skipped. Default 1000. */
  lockTimeout?: number | undefined;
  /**
   * Store paths below this absolute folder relative to it, so that the cache can be used at another path. Links
   * in it are followed when the cache is opened.
   */
  root?: string | undefined;
}

/** What is saved beside the parts. */
export interface SaveMeta {
  /** When the entry stops being one, in milliseconds since the epoch. Default: never. */
  expiresAt?: number | undefined;
}

/** Numbers on a script cache. Counters from `hits` on are this handle's own. */
export interface ScriptCacheStats {
  /** Sources with a live entry, of all hosts. */
  entries: number;
  /** Bytes of their parts. */
  bytes: number;
  /** Look-ups that found what was compiled. */
  hits: number;
  /** Look-ups that found nothing, those of sources that do not exist included. */
  misses: number;
  /** Look-ups of sources that had changed, or that another host build had compiled. */
  stale: number;
  /** Look-ups whose entry was damaged. */
  corrupt: number;
  /** Saves and puts that stored. */
  saves: number;
  /** Saves and puts that did not, for whatever reason. */
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
  /** Bytes of each part; by position (`'0'`, `'1'`, ...) where the host that compiled it had more or fewer. */
  bytes: Record<P, number>;
  /** The version of the host that compiled it. */
  version: string;
  /** When it was saved. */
  cachedAt: Date;
}

/**
 * What a program compiled from source files, by canonical path, in one file that every process shares.
 *
 * The cache never stops its host: whatever is missing, changed, damaged or made by another build reads as not
 * there, and what the system refuses to store is skipped and counted. Only wrong arguments, and the use of a
 * closed cache, throw.
 *
 * What `load` returns is lent, not copied; see `Shard`.
 *
 * @example
 * const cache = ScriptCache.open('/var/cache/app/templates.shard', { host: { name: 'app', version: '1.4.0' } });
 * let parts = cache.load('views/home.tpl');
 * if (parts === undefined) cache.save('views/home.tpl', (parts = { code: compile('views/home.tpl') }));
 */
export class ScriptCache<P extends string = 'code'> {
  /**
   * Opens the cache at `path`; folders above it are made. A missing file is an empty cache, and so is one that is
   * damaged, of another format, or not a script cache.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
   */
  static open<P extends string = 'code'>(path: string, options: ScriptCacheOptions<P>): ScriptCache<P> {
    return new ScriptCache<P>(absolutePath(path), options);
  }

  /** Where the file is; absolute. */
  readonly path: string;
  /** Whether this handle never changes anything. */
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
   * What was compiled from a source as it is now: all parts or none. A hit on an absolute path that this handle
   * has met before takes one system call.
   *
   * @param source path of the source file; links are followed. One that does not exist, is no regular file, or may
   * not be looked at is a miss
   * @throws WarmshardError `ERR_INVALID_ARG` where `source` is no string, `ERR_CLOSED`
   */
  load(source: string): Record<P, Uint8Array> | undefined {
    return viewParts(this.#handle, this.#calls.load(source)) as Record<P, Uint8Array> | undefined;
  }

  /**
   * Stores what was compiled from a source. Call it with the name that `load` was called with: if the source is
   * no longer the one that `load` missed, then what was compiled may be of either, and is not stored.
   *
   * @returns whether it was stored. `false`, and a counter, where it was not: the source changed or is gone, the
   * lock was not to be had in time, the disk is full, the cache is read-only, the entry is larger than
   * `maxEntryBytes`, or the host's binary cannot be identified
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  save(source: string, parts: Record<P, Uint8Array>, meta?: SaveMeta): boolean {
    const encoded = this.#encode(parts);
    metaOf(this.#handle).write({ expiresAt: meta?.expiresAt });
    return this.#calls.save(source, encoded) === 1;
  }

  /**
   * What was stored under a path and a modification time: all parts or none. Nothing is asked of the file system.
   * Entries that were saved by content (`validate`) are not found by a time.
   *
   * @param path taken as it is: use a canonical one
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
   * Numbers on the cache and on what this handle did. The sum of bytes is a walk over the entries.
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
   * Drops what was compiled from sources that are gone or have changed, and what other hosts compiled. Returns how
   * many entries.
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
   * Drops everything and removes the file; again: nothing. Other processes see it at their next look-up.
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

  /** Ends the use of this handle; again: nothing. What it gave stays valid. */
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

/** The path that sources below a folder have once their own links have been followed. */
function canonical(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}
