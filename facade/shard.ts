import { fast, ORDINARY } from './fast.js';
import { closeHandle, firstGet, type Handle, hot, openHandle } from './handle.js';
import type { EntryMeta, Validator } from './later/meta.js';
import type { Entry, Values } from './later/values.js';
import type { WorkOptions } from './later/work.js';
import { later } from './later.js';
import { viewFirst } from './lending.js';
import { table } from './native.js';
import { DEFAULTS, NONE, nativeOptions, type ShardOptions } from './options.js';
import { absolutePath } from './paths.js';
import type { CompactReport, Durability, EntryInfo, ShardStats, VerifyReport } from './reports.js';
import { writeValidator } from './validator.js';

/**
 * A persistent cache in one file, shared by any number of processes.
 *
 * The values that `get` returns are lent, not copied: views of mapped memory that stay valid after later puts,
 * compaction, `clear` and `close`. Treat them as read-only: what you write to one stays in this process, but a later
 * `get` of the same key may return it. With the option `copy` every value is a copy of your own.
 *
 * @example
 * const shard = Shard.open('/var/cache/app/artifacts.shard', { host: { name: 'app', version: '1.4.0' } });
 * let code = shard.get(key);
 * if (code === undefined) shard.put(key, (code = compile(key)));
 */
export class Shard<V = Uint8Array> {
  /**
   * Opens the shard at `path`; missing folders are made. A missing file is an empty shard, and so is one that is
   * damaged, foreign or of another format: `stats().rejected` says why, and the next change replaces it.
   *
   * @param path of the file; its sidecar is `<path>.lock`
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
   */
  static open<V = Uint8Array>(path: string, options: ShardOptions<V> = NONE): Shard<V> {
    return new Shard<V>(openShard(path, options));
  }

  /** The path of the file; absolute. */
  readonly path: string;
  /** Whether this handle was opened with `readOnly`. */
  readonly readOnly: boolean;

  readonly #handle: Handle;

  private constructor(handle: Handle) {
    if (!handle?.native) throw later().notOpened();
    this.#handle = handle;
    this.path = handle.path;
    this.readOnly = handle.readOnly;
  }

  /**
   * Rises with every published change, of any process.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  get generation(): number {
    return table('shard').generation(this.#handle.native);
  }

  /**
   * Live entries, of all producers.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  get size(): number {
    return table('shard').size(this.#handle.native);
  }

  /**
   * The value of a key; `undefined` if there is none, or if it has expired, is damaged, or was made by another host
   * build. As long as nothing changes, looking up the same key again may return the same object.
   *
   * @param validator what the entry must have been put with; any other entry is stale. Default: nothing is compared,
   * whatever the entry was put with
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CODEC`, `ERR_CLOSED`
   */
  get(key: string, validator?: Validator): V | undefined {
    return lookUp(this.#handle, key, validator) as V | undefined;
  }

  /**
   * The bytes of every part of an entry, by name: all or none. Without the option `parts` the only part has the empty
   * string as its name.
   *
   * @throws WarmshardError as `get`, without `ERR_CODEC`
   */
  getParts(key: string, validator?: Validator): Record<string, Uint8Array> | undefined {
    return later().getParts(this.#handle, key, validator);
  }

  /**
   * The values of many keys, in their order; `undefined` for each that `get` would not find. Faster than as many calls
   * of `get`. Each is looked up by itself: what another process publishes meanwhile may show in some of them.
   *
   * @throws WarmshardError as `get`
   */
  getMany(keys: readonly string[]): (V | undefined)[] {
    return later().getMany(this.#handle, keys);
  }

  /**
   * Whether `get` would find a value. Not counted in `stats()`.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  has(key: string, validator?: Validator): boolean {
    const handle = this.#handle;
    if (validator !== undefined) return writeValidator(handle, validator).hasChecked(key) === 1;
    const found = handle.door === 0 ? ORDINARY : fast.has(key, handle.door);
    return (found === ORDINARY ? hot(handle).has(key) : found) === 1;
  }

  /**
   * What is known about this host's entry of a key, whatever its validator; `undefined` if there is none. As in `size`,
   * `keys` and `list`, an expired entry is still there until `evictStale` or a compaction drops it.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
   */
  info(key: string): EntryInfo | undefined {
    return later().infoOf(this.#handle, key);
  }

  /**
   * Stores a value, in place of this host's previous one. Every process sees it at its next `get`. It survives a power
   * cut after the next `flush` or, with `durability: 'sync'`, once this returns.
   *
   * @example
   * const [mtimeSec, mtimeNsec] = fileMtime(path) ?? [0, 0];
   * shard.put(path, compile(path), { validator: { mtimeSec, mtimeNsec } });
   * shard.get(path, { mtimeSec, mtimeNsec }); // undefined once the file has another modification time
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_CODEC`, `ERR_READ_ONLY`,
   * `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  put(key: string, value: V, meta?: EntryMeta): void {
    const handle = this.#handle;
    const bytes = handle.coding === undefined ? plainBytes(value) : later().valuesOf<V>(handle).encode(value);
    if (meta === undefined) hot(handle).put(key, bytes);
    else {
      later().metaOf(handle).write(meta);
      hot(handle).putWith(key, bytes);
    }
  }

  /**
   * Deletes this host's entry of a key. Returns whether there was one.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  delete(key: string): boolean {
    return table('shard').remove(this.#handle.native, key);
  }

  /**
   * Stores many entries with one publish: other processes, and every process after a crash, see all of them or none. If
   * a key is given more than once, the last entry counts. Returns how many were given; no entries write nothing. If
   * the host's binary cannot be identified, nothing is stored: 0, counted in `stats().rejectedPuts`.
   *
   * @example
   * shard.mergeIn(new Map([['a', bytesOfA], ['b', bytesOfB]]));
   * shard.mergeIn([{ key: 'c', value: bytesOfC, expiresAt: Date.now() + 3_600_000 }]);
   * @throws WarmshardError as `put`; nothing is stored then
   */
  mergeIn(entries: Iterable<[string, V] | Entry<V>>): number {
    return later().writeMany(this.#handle, entries, false);
  }

  /**
   * Makes exactly these entries the contents of the shard, in place of the entries of all hosts, atomically and
   * durably. Returns how many were given. If the host's binary cannot be identified, everything is left as it was: 0.
   *
   * @throws WarmshardError as `put`; the shard is as before then
   */
  replaceAll(entries: Iterable<[string, V] | Entry<V>>): number {
    return later().writeMany(this.#handle, entries, true);
  }

  /**
   * Drops every entry, of all hosts.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  clear(): void {
    table('shard').clear(this.#handle.native);
  }

  /**
   * The keys of this host's entries at the time of this call, oldest first. Changes during the walk do not affect it.
   *
   * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` if not everything could be read (`access: 'read'`)
   */
  keys(): IterableIterator<string> {
    return later().keysOf(this.#handle);
  }

  /**
   * Keys and values of this host's usable entries, oldest first: the keys at the time of this call, each value when it
   * is reached.
   *
   * @throws WarmshardError as `get` and `keys`
   */
  entries(): IterableIterator<[string, V]> {
    return later().withValues(this.keys(), this);
  }

  /** The same as `entries()`. */
  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries();
  }

  /**
   * Every entry, of all hosts, newest first.
   *
   * @throws WarmshardError as `keys`
   */
  list(): EntryInfo[] {
    return later().listOf(this.#handle);
  }

  /**
   * Drops expired entries, other hosts' entries, and those whose key is the absolute path of a source that is
   * gone or no longer has the validator's modification time and size. Returns how many.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  evictStale(): number {
    return table('shard').evictStale(this.#handle.native);
  }

  /**
   * Rewrites the live entries into a new file under `maxBytes`, durably. Compaction also starts by itself; see
   * `autoCompact`.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  compact(): CompactReport {
    return table('shard').compact(this.#handle.native) as CompactReport;
  }

  /**
   * Reads and verifies everything; repairs nothing.
   *
   * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` if not everything could be read
   */
  verify(): VerifyReport {
    return table('shard').verify(this.#handle.native) as VerifyReport;
  }

  /**
   * Makes everything published so far, by any process, survive a power cut.
   *
   * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  flush(): void {
    table('shard').flush(this.#handle.native);
  }

  /**
   * What a power cut now might cost.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  durability(): Durability {
    return table('shard').durability(this.#handle.native) as Durability;
  }

  /**
   * Statistics of the file, and of what this handle did.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  stats(): ShardStats {
    return later().statsOf(this.#handle);
  }

  /** Closes this handle; closing it again does nothing. Values that it returned stay valid. */
  close(): void {
    closeHandle(this.#handle);
  }

  /** `using shard = Shard.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * `mergeIn` off the event loop. Values are encoded and copied before it returns. All asynchronous forms reject with
   * what the synchronous form throws, and with `ERR_ABORTED`.
   */
  async mergeInAsync(entries: Iterable<[string, V] | Entry<V>>, options?: WorkOptions): Promise<number> {
    return later().writeManyAsync(this.#handle, entries, false, options);
  }

  /** `replaceAll` off the event loop. Values are encoded and copied before it returns. */
  async replaceAllAsync(entries: Iterable<[string, V] | Entry<V>>, options?: WorkOptions): Promise<number> {
    return later().writeManyAsync(this.#handle, entries, true, options);
  }

  /** `compact` off the event loop. */
  async compactAsync(options?: WorkOptions): Promise<CompactReport> {
    return later().workOn(this.#handle, 'compactAsync', options);
  }

  /** `verify` off the event loop. */
  async verifyAsync(options?: WorkOptions): Promise<VerifyReport> {
    return later().workOn(this.#handle, 'verifyAsync', options);
  }

  /** `flush` off the event loop. */
  async flushAsync(options?: WorkOptions): Promise<void> {
    return later().workOn(this.#handle, 'flushAsync', options);
  }

  /** `evictStale` off the event loop. */
  async evictStaleAsync(options?: WorkOptions): Promise<number> {
    return later().workOn(this.#handle, 'evictStaleAsync', options);
  }
}

// What `open` and `get` do. Functions, so that the build can have V8 compile them with the bundle.

function openShard<V>(path: string, options: ShardOptions<V>): Handle {
  const absolute = absolutePath(path);
  const parsed = options === NONE ? DEFAULTS : nativeOptions(options);
  const { codec, parts, copy } = options;
  const isPlain = parts === undefined && (codec === undefined || codec === 'bytes');
  const coding = isPlain
    ? undefined
    : (new (later().Values)(options, parsed.parts) as unknown as Values<never>);
  return openHandle(absolute, parsed, copy, coding);
}

function lookUp(handle: Handle, key: string, validator?: Validator): unknown {
  let status = ORDINARY;
  if (handle.direct !== 0 && validator === undefined) status = fast.get(key, handle.direct);
  else if (handle.front !== undefined) return handle.front.get(key, validator, handle);
  else if (validator !== undefined) status = writeValidator(handle, validator).getChecked(key);
  else if (--handle.patience === 0) knock(handle);
  if (status === ORDINARY) status = firstGet(handle, key);
  return viewFirst(handle, status, key);
}

function knock(handle: Handle): void {
  try {
    later().knock(handle);
  } catch {
    // It cannot be loaded: no file descriptor is left, for example. Look-ups work without it.
  }
}

/** A value that must be bytes. The addon checks that, but would take an array for the parts of a value. */
export function plainBytes(value: unknown): Uint8Array {
  if (Array.isArray(value)) throw later().wrongValue();
  return value as Uint8Array;
}
