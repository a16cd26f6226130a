import { invalid } from './errors.js';
import { AHEAD, fast, ORDINARY, patience } from './fast.js';
import { type Handle, openHandle } from './handle.js';
import type { Entry, Values } from './later/values.js';
import type { WorkOptions } from './later/work.js';
import { later } from './later.js';
import { viewFirst } from './lending.js';
import type { EntryMeta, Validator } from './meta.js';
import { type FirstCalls, table } from './native.js';
import { DEFAULTS, NONE, nativeOptions, type ShardOptions } from './options.js';
import { absolutePath } from './paths.js';
import type { CompactReport, Durability, EntryInfo, ShardStats, VerifyReport } from './reports.js';

/** Marker of an absent key in the answers of `getMany`; see src-rs/binding/hot.rs. */
const ABSENT = 0xffff_fffd;

/**
 * A persistent cache in one file, shared by any number of processes.
 *
 * Values that `get` returns are views of memory that is lent, not copied: they stay valid after later puts,
 * compaction, `clear` and `close`. Treat them as read-only: a write to one stays in this process, but a later `get`
 * of the same key may show it. Set `copy` to get memory of your own.
 */
export class Shard<V = Uint8Array> {
  /**
   * Opens the shard at `path`; folders above it are made. A missing file is an empty shard, and so is one that is
   * damaged, foreign or of another format: `stats().rejected` says why, and the next change replaces it.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
   */
  static open<V = Uint8Array>(path: string, options: ShardOptions<V> = NONE): Shard<V> {
    return new Shard<V>(absolutePath(path), options);
  }

  /** Where the file is; absolute. */
  readonly path: string;
  /** Whether this handle never changes anything. */
  readonly readOnly: boolean;

  readonly #handle: Handle;
  // Of the handle, where `get` reaches them without a detour.
  readonly #calls: FirstCalls;
  /** What the fast door calls this shard; zero while look-ups go through Node-API. */
  #fast = 0;
  /** Look-ups until somebody asks whether there is such a door. */
  #patience: number;
  /** Whether a value is the bytes of the one part as they are. */
  readonly #plain: boolean;
  #coding: Values<V> | undefined;

  private constructor(path: string, options: ShardOptions<V>) {
    const parsed = options === NONE ? DEFAULTS : nativeOptions(options);
    const { codec, parts } = options;
    this.#plain = parts === undefined && (codec === undefined || codec === 'bytes');
    if (!this.#plain) this.#coding = new (later().Values)(options, parsed.parts);
    const handle = openHandle(path, parsed, options.copy);
    this.#handle = handle;
    this.#calls = handle.first;
    this.#patience = patience();
    this.path = path;
    this.readOnly = parsed.readOnly;
  }

  /** How values become bytes and back; where they are bytes, it is made when a batch needs it. */
  get #values(): Values<V> {
    this.#coding ??= new (later().Values)<V>({}, this.#handle.partNames);
    return this.#coding;
  }

  /** Rises with every published change, of any process. */
  get generation(): number {
    return table('shard').generation(this.#handle.native);
  }

  /** Live entries, of all producers. */
  get size(): number {
    return table('shard').size(this.#handle.native);
  }

  /**
   * The value of a key, or `undefined` where there is none, or where it expired, is damaged, was made by another
   * host build, or does not carry an equal validator.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CODEC`, `ERR_CLOSED`
   */
  get(key: string, validator?: Validator): V | undefined {
    if (!this.#plain) return this.#getDecoded(key, validator);
    let status = ORDINARY;
    if (validator !== undefined) {
      this.#handle.meta.writeValidator(validator);
      status = this.#handle.hot.getChecked(key);
    } else {
      if (this.#fast !== 0) status = fast.get(key, this.#fast);
      else if (--this.#patience === 0) this.#knock();
      if (status === ORDINARY) status = this.#calls.get(key);
    }
    return viewFirst(this.#handle, status) as V | undefined;
  }

  /** Looks for the fast door, once there have been many look-ups through Node-API. */
  #knock(): void {
    this.#fast = later().fastNumber(this.#handle.native);
    this.#handle.door = this.#fast;
  }

  #getDecoded(key: string, validator?: Validator): V | undefined {
    const parts = this.getParts(key, validator);
    return parts === undefined ? undefined : this.#values.decode(parts);
  }

  /**
   * The bytes of every part of an entry, by name: all or none. Without the option `parts`, the one part's name
   * is the empty string.
   *
   * @throws WarmshardError as `get`, without `ERR_CODEC`
   */
  getParts(key: string, validator?: Validator): Record<string, Uint8Array> | undefined {
    let count: number;
    if (validator === undefined) count = this.#handle.hot.getParts(key);
    else {
      this.#handle.meta.writeValidator(validator);
      count = this.#handle.hot.getPartsChecked(key);
    }
    return this.#handle.parts(count);
  }

  /**
   * The values of many keys, in their order, in one call.
   *
   * @throws WarmshardError as `get`
   */
  getMany(keys: readonly string[]): (V | undefined)[] {
    if (!Array.isArray(keys)) throw invalid('getMany needs an array of keys');
    // A copy: the addon must not meet getters or a proxy.
    const wanted: string[] = Array.from(keys);
    if (!this.#plain) return wanted.map((key) => this.get(key));
    if (this.#patience > 0) {
      this.#patience -= wanted.length;
      if (this.#patience <= 0) this.#knock();
    }
    if (this.#fast !== 0 && wanted.length > 0) return this.#getQuickly(wanted);
    const { windows } = this.#handle;
    const answers = new Uint32Array(wanted.length * 3);
    this.#handle.hot.getMany(wanted, answers);
    const values = new Array<V | undefined>(wanted.length).fill(undefined);
    const rest: number[] = [];
    for (let i = 0, word = 0; i < wanted.length; i++, word += 3) {
      const id = answers[word] as number;
      const window = windows[id];
      if (window !== undefined && window.byteLength > 0)
        values[i] = new Uint8Array(window, answers[word + 1], answers[word + 2]) as V;
      else if (id !== ABSENT) rest.push(i);
    }
    // Only now: a look-up may find a new file, whose windows have the same numbers.
    for (const i of rest)
      values[i] = viewFirst(this.#handle, this.#handle.hot.getAgain(wanted[i] as string)) as V | undefined;
    return values;
  }

  /** `getMany` through the fast door: a call for each key costs less than an array's elements do through Node-API. */
  #getQuickly(keys: readonly string[]): (V | undefined)[] {
    const count = keys.length;
    const values = new Array<V | undefined>(count);
    for (let next = 0; next < count + AHEAD; next++) {
      if (next < count) fast.ahead(keys[next] as string, this.#fast);
      const i = next - AHEAD;
      if (i < 0) continue;
      const key = keys[i] as string;
      let status = fast.get(key, this.#fast);
      if (status === ORDINARY) status = this.#calls.get(key);
      values[i] = viewFirst(this.#handle, status) as V | undefined;
    }
    return values;
  }

  /**
   * Whether `get` would find a value. Not counted in `stats()`.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  has(key: string, validator?: Validator): boolean {
    if (validator === undefined) {
      const found = this.#fast === 0 ? ORDINARY : fast.has(key, this.#fast);
      return (found === ORDINARY ? this.#handle.hot.has(key) : found) === 1;
    }
    this.#handle.meta.writeValidator(validator);
    return this.#handle.hot.hasChecked(key) === 1;
  }

  /**
   * What is known of this host's entry of a key, hit or stale.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
   */
  info(key: string): EntryInfo | undefined {
    const info = table('shard').info(this.#handle.native, key);
    return info == null ? undefined : later().entryInfo(info, this.#handle.partNames);
  }

  /**
   * Stores a value; the previous one of this host, if any, is replaced. Every process sees it at its next `get`.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_CODEC`, `ERR_READ_ONLY`,
   * `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  put(key: string, value: V, meta?: EntryMeta): void {
    const bytes = this.#plain ? plainBytes(value) : this.#values.encode(value);
    if (meta === undefined) this.#handle.hot.put(key, bytes);
    else {
      this.#handle.meta.write(meta);
      this.#handle.hot.putWith(key, bytes);
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
   * Stores many entries with one publish: other processes, and whoever opens after a crash, see all of them or none.
   * Of entries with one key the last counts. Returns how many were given; none writes nothing.
   *
   * @throws WarmshardError as `put`; nothing is stored then
   */
  mergeIn(entries: Iterable<[string, V] | Entry<V>>): number {
    const batch = this.#values.collect(entries);
    if (batch.count === 0) return this.#handle.requireWritable(0);
    return table('shard').writeMany(this.#handle.native, batch, false);
  }

  /**
   * Makes exactly these entries the shard's contents, of all hosts, atomically and durably. Returns how many were given.
   *
   * @throws WarmshardError as `put`; the shard is as before then
   */
  replaceAll(entries: Iterable<[string, V] | Entry<V>>): number {
    const batch = this.#values.collect(entries);
    return table('shard').writeMany(this.#handle.native, batch, true);
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
   * The keys of this host's entries as of this call, oldest first. Changes meanwhile do not disturb the walk.
   *
   * @throws WarmshardError `ERR_CLOSED`; `ERR_IO` where not all could be read (`access: 'read'`)
   */
  keys(): IterableIterator<string> {
    return this.#handle.keys();
  }

  /**
   * Keys and values of this host's usable entries, oldest first: keys as of this call, values as of their turn.
   *
   * @throws WarmshardError as `get` and `keys`
   */
  entries(): IterableIterator<[string, V]> {
    return this.#entries(this.keys());
  }

  *#entries(keys: Iterable<string>): IterableIterator<[string, V]> {
    for (const key of keys) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
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
    const { partNames } = this.#handle;
    return table('shard')
      .list(this.#handle.native)
      .map((info) => later().entryInfo(info, partNames));
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
   * Rewrites the live entries into a fresh file under `maxBytes`, durably. Happens by itself when it pays.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  compact(): CompactReport {
    return table('shard').compact(this.#handle.native) as CompactReport;
  }

  /**
   * Reads and verifies everything; repairs nothing.
   *
   * @throws WarmshardError `ERR_CLOSED`
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

  /** What a power cut now might cost. */
  durability(): Durability {
    return table('shard').durability(this.#handle.native) as Durability;
  }

  /** Numbers on the file and on what this handle did. */
  stats(): ShardStats {
    const { rejected, ...stats } = table('shard').stats(this.#handle.native);
    const doorShut = later().shutBecause();
    return {
      ...stats,
      door: this.#fast === 0 ? 'node-api' : 'fast',
      ...(doorShut !== undefined && { doorShut }),
      ...(rejected != null && { rejected }),
    };
  }

  /** Ends the use of this handle; again: nothing. Values that it gave stay valid. */
  close(): void {
    this.#handle.close();
  }

  /** `using shard = Shard.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `mergeIn` off the event loop. Values are encoded and copied before it returns. */
  async mergeInAsync(entries: Iterable<[string, V] | Entry<V>>, options?: WorkOptions): Promise<number> {
    const batch = this.#values.collect(entries);
    return later().runWork(options, async (job) =>
      batch.count === 0
        ? this.#handle.requireWritable(0)
        : table('shard').writeManyAsync(this.#handle.native, batch, false, job),
    );
  }

  /** `replaceAll` off the event loop. Values are encoded and copied before it returns. */
  async replaceAllAsync(entries: Iterable<[string, V] | Entry<V>>, options?: WorkOptions): Promise<number> {
    const batch = this.#values.collect(entries);
    return later().runWork(options, (job) =>
      table('shard').writeManyAsync(this.#handle.native, batch, true, job),
    );
  }

  /** `compact` off the event loop. */
  async compactAsync(options?: WorkOptions): Promise<CompactReport> {
    return later().runWork(
      options,
      (job) => table('shard').compactAsync(this.#handle.native, job) as Promise<CompactReport>,
    );
  }

  /** `verify` off the event loop. */
  async verifyAsync(options?: WorkOptions): Promise<VerifyReport> {
    return later().runWork(
      options,
      (job) => table('shard').verifyAsync(this.#handle.native, job) as Promise<VerifyReport>,
    );
  }

  /** `flush` off the event loop. */
  async flushAsync(options?: WorkOptions): Promise<void> {
    return later().runWork(options, (job) => table('shard').flushAsync(this.#handle.native, job));
  }

  /** `evictStale` off the event loop. */
  async evictStaleAsync(options?: WorkOptions): Promise<number> {
    return later().runWork(options, (job) => table('shard').evictStaleAsync(this.#handle.native, job));
  }
}

/** A value that is bytes. The addon checks that, but would take an array for the parts of a value. */
export function plainBytes(value: unknown): Uint8Array {
  if (Array.isArray(value)) throw invalid('a value must be a Uint8Array, or use a codec');
  return value as Uint8Array;
}
