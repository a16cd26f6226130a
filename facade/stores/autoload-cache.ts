import { invalid } from '../errors.js';
import { closeHandle, firstGet, type Handle, hot, openHandle } from '../handle.js';
import { requireWritable, written } from '../later/changes.js';
import { unlike } from '../later/checks.js';
import { nativeOptions } from '../later/options.js';
import type { Values } from '../later/values.js';
import { keysOf } from '../later/walks.js';
import type { WorkOptions } from '../later/work.js';
import { later } from '../later.js';
import { viewFirst } from '../lending.js';
import { table } from '../native.js';
import type { Host, ShardOptions } from '../options.js';
import { absolutePath } from '../paths.js';
import { AutoloadShardWriter } from './autoload-writer.js';

/** The default of `maxEntryBytes`. */
const DEFAULT_MAX_ENTRY_BYTES = 64 * 1024 * 1024;

/** How an autoload cache is opened. Options that are not described here are those of a `Shard`. */
export interface AutoloadCacheOptions
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
    | 'lockTimeout'
    | 'trust'
    | 'autoCompact'
  > {
  /** The program that compiles. What another build of it has compiled is not found. */
  host: Host;
}

/** Statistics of an autoload cache. The counters from `hits` on are this handle's own. */
export interface AutoloadCacheStats {
  /** Live entries, of all hosts. */
  entries: number;
  /** Bytes of all blobs. */
  bytes: number;
  /** Look-ups that found a function. */
  hits: number;
  /** Look-ups that found none. */
  misses: number;
  /** Look-ups that found only a function compiled by another host build. */
  stale: number;
  /** Look-ups whose entry was damaged. */
  corrupt: number;
  /** Entries stored. */
  puts: number;
  /** Entries not stored because the host's binary could not be identified. */
  rejectedPuts: number;
  /** Bytes of the file. */
  fileBytes: number;
  /** Rises with every published change, of any process. */
  generation: number;
  /** Why the file at the path reads as an empty cache; the next change replaces it. */
  rejected?: string;
}

/**
 * Compiled functions by name, in one file that every process shares. No source is examined: an entry is valid for the
 * host build that made it.
 *
 * What `get` returns is lent, not copied: see `Shard`.
 *
 * @example
 * const cache = AutoloadCache.open('/var/cache/app/functions.shard', { host: { name: 'app', version: '1.4.0' } });
 * const writer = cache.writer();
 * for (const name of cache.missing(names)) writer.add(name, compile(name));
 * writer.commit();
 */
export class AutoloadCache {
  /**
   * Opens the cache at `path`; missing folders are made. A missing file is an empty cache, and so is one that is
   * damaged, of another format, or not an autoload cache.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
   */
  static open(path: string, options: AutoloadCacheOptions): AutoloadCache {
    return new AutoloadCache(absolutePath(path), options);
  }

  /** The path of the file; absolute. */
  readonly path: string;
  /** Whether this handle was opened with `readOnly`. */
  readonly readOnly: boolean;

  readonly #handle: Handle;
  #coding: Values<Uint8Array> | undefined;
  readonly #maxEntryBytes: number;

  private constructor(path: string, options: AutoloadCacheOptions) {
    if (typeof options !== 'object' || options === null || options.host === undefined)
      throw invalid(
        'an autoload cache needs options.host: the name and version of the program that compiles',
      );
    const parsed = nativeOptions<Uint8Array>({
      ...options,
      codec: 'bytes',
      parts: undefined,
      root: undefined,
    });
    this.#handle = openHandle(path, { ...parsed, kind: 'autoload' }, options.copy);
    this.#maxEntryBytes = parsed.maxEntryBytes ?? DEFAULT_MAX_ENTRY_BYTES;
    this.path = path;
    this.readOnly = parsed.readOnly;
  }

  /** How values become bytes; made when something is stored. */
  get #values(): Values<Uint8Array> {
    this.#coding ??= new (later().Values)<Uint8Array>({}, this.#handle.partNames);
    return this.#coding;
  }

  /**
   * A function's blob; `undefined` if this host build has stored none.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
   */
  get(name: string): Uint8Array | undefined {
    const handle = this.#handle;
    return viewFirst(handle, firstGet(handle, name));
  }

  /**
   * Stores one function.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_READ_ONLY`,
   * `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  putOne(name: string, blob: Uint8Array): void {
    hot(this.#handle).put(name, this.#values.encode(blob) as Uint8Array);
  }

  /**
   * Stores many functions with one publish, all or none, and keeps the others. If a name is given more than once, the
   * last one counts. Returns how many were given; no functions write nothing. If the host's binary cannot be
   * identified, nothing is stored: 0, counted in `stats().rejectedPuts`.
   *
   * @throws WarmshardError as `putOne`; nothing is stored then
   */
  mergeIn(entries: Iterable<[string, Uint8Array]>): number {
    const batch = this.#values.collect(entries);
    if (batch.count === 0) return requireWritable(this.#handle, 0);
    return written(table('shard').writeMany(this.#handle.native, batch, false));
  }

  /** `mergeIn` off the event loop. Blobs are copied before it returns. Rejects with what `mergeIn` throws, and with `ERR_ABORTED`. */
  async mergeInAsync(entries: Iterable<[string, Uint8Array]>, options?: WorkOptions): Promise<number> {
    return later().runWork(options, async (job) => {
      const batch = this.#values.collect(entries);
      if (batch.count === 0) return requireWritable(this.#handle, 0);
      return table('shard').writeManyAsync(this.#handle.native, batch, false, job);
    });
  }

  /**
   * Makes exactly these functions the contents of the cache, in place of those of all hosts, atomically and durably.
   * Returns how many were given. If the host's binary cannot be identified, everything is left as it was: 0.
   *
   * @throws WarmshardError as `putOne`; the cache is as before then
   */
  replaceAll(entries: Iterable<[string, Uint8Array]>): number {
    const batch = this.#values.collect(entries);
    return written(table('shard').writeMany(this.#handle.native, batch, true));
  }

  /** `replaceAll` off the event loop. Blobs are copied before it returns. */
  async replaceAllAsync(entries: Iterable<[string, Uint8Array]>, options?: WorkOptions): Promise<number> {
    return later().runWork(options, async (job) =>
      table('shard').writeManyAsync(this.#handle.native, this.#values.collect(entries), true, job),
    );
  }

  /** A writer that collects functions and stores them with one publish. */
  writer(): AutoloadShardWriter {
    return new AutoloadShardWriter(this, this.#maxEntryBytes);
  }

  /**
   * The names of this host build's functions.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  cachedNames(): Set<string> {
    return new Set(keysOf(this.#handle));
  }

  /**
   * The names that the cache lacks, once each, in order of first appearance. Blobs are not read: a damaged one is found
   * only by `get`.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  missing(names: Iterable<string>): string[] {
    if (typeof names !== 'object' || typeof names?.[Symbol.iterator] !== 'function')
      throw unlike('names must be an iterable', names);
    const wanted = Array.from(new Set(names));
    const answers = new Uint8Array(wanted.length);
    const count = hot(this.#handle).missing(wanted, answers);
    if (count === wanted.length) return wanted;
    return count === 0 ? [] : wanted.filter((_, i) => answers[i] === 1);
  }

  /**
   * How many functions of this host build there are. After a change they are counted by a walk.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  get entryCount(): number {
    return table('shard').totals(this.#handle.native)[0];
  }

  /**
   * Statistics of the cache, and of what this handle did.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  stats(): AutoloadCacheStats {
    const { native } = this.#handle;
    const [, bytes] = table('shard').totals(native);
    const { entries, hits, misses, stale, corrupt, puts, rejectedPuts, fileBytes, generation, rejected } =
      table('shard').stats(native);
    return {
      entries,
      bytes,
      hits,
      misses,
      stale,
      corrupt,
      puts,
      rejectedPuts,
      fileBytes,
      generation,
      ...(rejected != null && { rejected }),
    };
  }

  /**
   * Drops everything and removes the file; if it is gone already, does nothing. Other processes see this at their next
   * look-up.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  clear(): void {
    table('shard').removeFile(this.#handle.native);
  }

  /**
   * Makes everything stored so far, by any process, survive a power cut.
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

  /** Closes this handle; closing it again does nothing. What it returned stays valid. */
  close(): void {
    closeHandle(this.#handle);
  }

  /** `using cache = AutoloadCache.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
