import { join } from 'node:path';
import { invalid, WarmshardError } from '../errors.js';
import { flag, isBytes, object, ofOne, show, text, unlike, whole } from '../later/checks.js';
import { nativeOptions } from '../later/options.js';
import { table } from '../native.js';
import { mustCopy, type ShardOptions } from '../options.js';
import { absolutePath } from '../paths.js';
import type { Durability } from '../reports.js';
import type { NativeArtifactMeta, NativeArtifactStore } from './native.js';

/** What is known about an artifact. */
export interface ArtifactMeta {
  /** A name for each output. */
  outputNames: string[];
  /** Size of each output, in bytes; as many as there are names. */
  outputSizes: number[];
  /** What the compiler wrote to stdout: text or bytes, as given. */
  stdout: string | Uint8Array;
  /** What it wrote to stderr: text or bytes, as given. */
  stderr: string | Uint8Array;
  /** Its exit code; a signed 32-bit integer. */
  exitCode: number;
  /** The size that counts in `totalSizeBytes` and `evictTo`, in bytes. */
  totalSize: number;
  /** When it was stored, in whole milliseconds since the epoch. */
  storedAt: number;
}

/**
 * What `insert` takes: an `ArtifactMeta` in which everything but the outputs may be left out. Defaults: empty `stdout`
 * and `stderr`, exit code 0, the sum of the output sizes, the current time.
 */
export type ArtifactInput = Pick<ArtifactMeta, 'outputNames' | 'outputSizes'> & Partial<ArtifactMeta>;

/** How an artifact store is opened. The options of a shard apply to its index. */
export interface ArtifactStoreOptions
  extends Pick<ShardOptions, 'host' | 'readOnly' | 'copy' | 'access' | 'lockTimeout' | 'trust'> {
  /**
   * A separate folder below the store's: 1 to 64 characters of `a-z`, `0-9` and `-`. Default: the store's folder
   * itself.
   */
  namespace?: string | undefined;
  /** A flush brings the sum of total sizes back under this many bytes. Default 5 GiB. */
  maxBytes?: number | undefined;
  /**
   * Touch no file until something is needed that is not in memory. Until then `insert` works, and what it stores is
   * never overwritten by what is on disk. `ready()` opens the index off the event loop. Default false.
   */
  deferLoad?: boolean | undefined;
}

/** Statistics of an artifact store. */
export interface ArtifactStats {
  /** Artifacts. */
  entries: number;
  /** The sum of their total sizes. */
  bytes: number;
  /** Rows of the index that this handle has rebuilt from payloads. */
  recoveredRows: number;
  /** Payload files that it removed because no row could be rebuilt from them. */
  sweptFiles: number;
  /** Why the index read as empty when it was opened. */
  rejected?: string;
  /** Why the folder could not be searched for payloads without rows. */
  failed?: string;
}

/** A size or a sum of sizes. */
const bytesOf = (name: string, value: unknown): number => {
  if (!(Number.isSafeInteger(value) && (value as number) >= 0))
    throw unlike(`${name} must be a whole number of bytes`, value);
  return value as number;
};

/**
 * Compiler outputs by key: metadata in an index, payloads in files beside it, which are read only on request.
 *
 * Changes of the index stay in memory until `flush`; outputs are written at once. A crash in between loses rows at
 * most, and those whose payload carries its metadata are rebuilt. Any number of processes may share a folder; each sees
 * what the others have flushed.
 *
 * @example
 * const store = ArtifactStore.open('/var/cache/cc');
 * const known = store.get(key);
 * const object = known && store.output(key, 0);
 * if (object === undefined) {
 *   const { bytes, stderr } = compile(source);
 *   store.putOutputs(key, [bytes]);
 *   store.insert(key, { outputNames: ['main.o'], outputSizes: [bytes.length], stderr });
 *   store.flush();
 * }
 */
export class ArtifactStore {
  /**
   * Opens the store in a folder, which need not be there yet. A damaged or missing index is rebuilt from the payloads; a
   * process warning then names the file.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_UNTRUSTED_FILE`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_NATIVE_LOAD`
   */
  static open(dir: string, options: ArtifactStoreOptions = {}): ArtifactStore {
    return new ArtifactStore(absolutePath(dir, 'dir'), options);
  }

  /** The folder, including the namespace; absolute. */
  readonly path: string;
  /** Whether this handle was opened with `readOnly`. */
  readonly readOnly: boolean;
  readonly #native: NativeArtifactStore;
  /** Whether `#tell` has done its work. */
  #told = false;

  private constructor(dir: string, options: ArtifactStoreOptions) {
    object('options', options);
    const { namespace, maxBytes, deferLoad = false, ...index } = options;
    const { host, readOnly, copy, access, lockTimeout, trust } = index;
    const parsed = nativeOptions({ host, readOnly, copy, access, lockTimeout, trust });
    if (namespace !== undefined) text('namespace', namespace);
    whole('maxBytes', maxBytes);
    flag('deferLoad', deferLoad);
    this.#native = table('artifacts').open(dir, namespace, parsed, deferLoad, maxBytes);
    this.path = namespace === undefined ? dir : join(dir, namespace);
    this.readOnly = parsed.readOnly;
    if (mustCopy(copy)) table('artifacts').neverLend(this.#native);
    this.#tell();
  }

  /** Warns, once, if the index had to be rebuilt. */
  #tell(): void {
    if (this.#told) return;
    const rejected = table('artifacts').rejected(this.#native);
    // Not opened yet.
    if (rejected == null) return;
    this.#told = true;
    if (rejected === '') return;
    process.emitWarning(`the index ${join(this.path, 'index.shard')} could not be used (${rejected})`, {
      type: 'WarmshardWarning',
      code: 'WARMSHARD_INDEX_REBUILT',
    });
  }

  /**
   * Stores metadata, in memory until `flush`. The key keeps its outputs.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`, `ERR_READ_ONLY`, `ERR_CLOSED`
   */
  insert(key: string, meta: ArtifactInput): void {
    table('artifacts').insert(this.#native, checked(key), toNative(meta));
  }

  /**
   * Stores the metadata of many keys; none of them if one is refused. Returns how many.
   *
   * @throws WarmshardError as `insert`
   */
  insertMany(rows: Iterable<readonly [string, ArtifactInput]>): number {
    if (typeof rows?.[Symbol.iterator] !== 'function')
      throw unlike('rows must be an iterable of [key, metadata]', rows);
    const keys: string[] = [];
    const metas: NativeArtifactMeta[] = [];
    for (const row of rows) {
      if (!Array.isArray(row)) throw unlike(`row ${keys.length} must be [key, metadata]`, row);
      const [key, meta] = row;
      try {
        keys.push(checked(key));
        metas.push(toNative(meta));
      } catch (error) {
        throw ofOne(`row ${metas.length}`, error);
      }
    }
    table('artifacts').insertMany(this.#native, keys, metas);
    return keys.length;
  }

  /**
   * The metadata of a key; `undefined` if there is none. Counts as a use.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_CLOSED`
   */
  get(key: string): ArtifactMeta | undefined {
    const meta = table('artifacts').get(this.#native, checked(key));
    this.#tell();
    return meta == null ? undefined : (meta as ArtifactMeta);
  }

  /**
   * Removes a key; the next `flush` removes its payload files. Returns whether it was there.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_READ_ONLY`, `ERR_CLOSED`
   */
  remove(key: string): boolean {
    return table('artifacts').remove(this.#native, checked(key));
  }

  /**
   * Removes many keys. Returns how many of them were there.
   *
   * @throws WarmshardError as `remove`; nothing is removed if a key is invalid
   */
  removeBatch(keys: readonly string[]): number {
    if (!Array.isArray(keys)) throw unlike('keys must be an array', keys);
    return table('artifacts').removeMany(this.#native, checkedAll(keys));
  }

  /**
   * Every key with its metadata; flushed ones first, oldest first.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  loadAll(): [string, ArtifactMeta][] {
    const all = table('artifacts').loadAll(this.#native) as [string, ArtifactMeta][];
    this.#tell();
    return all;
  }

  /**
   * How many artifacts there are.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  get size(): number {
    const [count] = table('artifacts').totals(this.#native);
    this.#tell();
    return count;
  }

  /** Whether there are none. */
  isEmpty(): boolean {
    return this.size === 0;
  }

  /**
   * The sum of the artifacts' total sizes, in bytes.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  totalSizeBytes(): number {
    return table('artifacts').totals(this.#native)[1];
  }

  /**
   * Removes everything; the next `flush` removes the files. Returns how many artifacts there were.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_CLOSED`
   */
  clear(): number {
    return table('artifacts').clear(this.#native);
  }

  /**
   * Writes the outputs of a key to files `{key}_0`, `{key}_1` and so on or, with `pack`, to a single `{key}.pack`, in
   * place of its earlier outputs. A key that is not a plain file name is digested. The key keeps its metadata, which is
   * written to the files as well, so that the index can be rebuilt.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE` (an output beyond 1 GiB, more than 16384
   * of them), `ERR_READ_ONLY`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  putOutputs(key: string, outputs: readonly Uint8Array[], options: { pack?: boolean } = {}): void {
    if (!Array.isArray(outputs)) throw unlike('outputs must be an array of Uint8Arrays', outputs);
    const pack = Object(options).pack ?? false;
    if (typeof pack !== 'boolean') throw unlike('pack must be true or false', pack);
    // A copy: the addon must not meet getters or a proxy.
    table('artifacts').putOutputs(this.#native, checked(key), Array.from(outputs), pack);
  }

  /**
   * The bytes of an output, verified; `undefined` if there are none, or if they are damaged or belong to another put.
   * From 256 KiB on they are mapped and lent: treat them as read-only. Counts as a use.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  output(key: string, index: number): Uint8Array | undefined {
    if (!(Number.isInteger(index) && index >= 0 && index <= 0xffff_ffff))
      throw unlike('index must be the number of an output, counted from 0', index);
    return table('artifacts').output(this.#native, checked(key), index) ?? undefined;
  }

  /**
   * Evicts artifacts, the least recently used first, until the sum of their total sizes is at most `bytes`, and
   * flushes. Returns how many were evicted.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  evictTo(bytes: number): number {
    return table('artifacts').evictTo(this.#native, bytesOf('bytes', bytes));
  }

  /**
   * Makes everything survive a power cut: syncs the payloads, then commits the changed rows as one batch, so that other
   * processes see all of them or none. What others have flushed in the meantime is kept.
   *
   * @throws WarmshardError `ERR_LOCK_TIMEOUT`, `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`; what was not flushed stays
   * pending
   */
  flush(): void {
    table('artifacts').flush(this.#native);
  }

  /**
   * `flush` with the payloads synced off the event loop. Changes may be made meanwhile. Rejects with what `flush`
   * throws.
   */
  async flushAsync(): Promise<void> {
    await table('artifacts').syncPayloads(this.#native);
    table('artifacts').flush(this.#native);
  }

  /** Resolves when the index of a store with `deferLoad` is open; payloads are examined off the event loop. */
  async ready(): Promise<void> {
    await table('artifacts').prepare(this.#native);
    table('artifacts').load(this.#native);
    this.#tell();
  }

  /** What a power cut now might cost. */
  durability(): Durability {
    return table('artifacts').durability(this.#native) as Durability;
  }

  /** Statistics of the store. */
  stats(): ArtifactStats {
    const { rejected, failed, ...stats } = table('artifacts').stats(this.#native);
    return { ...stats, ...(rejected != null && { rejected }), ...(failed != null && { failed }) };
  }

  /**
   * Flushes what can be flushed and closes this handle; closing it again does nothing. Outputs that it returned stay
   * valid.
   */
  close(): void {
    table('artifacts').close(this.#native);
  }

  /** `using store = ArtifactStore.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Checks that no other key has the same UTF-8. The core checks everything else. */
function checked(key: string): string {
  if (typeof key !== 'string')
    throw new WarmshardError('ERR_INVALID_KEY', `the key must be a string, not ${show(key)}`);
  if (!key.isWellFormed())
    throw new WarmshardError(
      'ERR_INVALID_KEY',
      'the key holds a lone surrogate, which UTF-8 cannot tell from another one',
    );
  return key;
}

function checkedAll(keys: readonly string[]): string[] {
  return Array.from(keys, (key, i) => {
    try {
      return checked(key);
    } catch (error) {
      throw ofOne(`key ${i}`, error);
    }
  });
}

function isStream(value: unknown): value is string | Uint8Array {
  return isBytes(value) || (typeof value === 'string' && value.isWellFormed());
}

/** Checks the metadata's types; sizes in memory are checked by the core. */
function toNative(meta: ArtifactInput): NativeArtifactMeta {
  object('metadata', meta);
  const { outputNames, outputSizes, stdout = '', stderr = '', exitCode = 0, totalSize, storedAt } = meta;
  if (!Array.isArray(outputNames) || !Array.isArray(outputSizes))
    throw invalid('outputNames and outputSizes must be arrays, with one element for each output');
  const names = Array.from(outputNames, (name) => {
    if (typeof name === 'string' && name.isWellFormed()) return name;
    throw unlike('outputNames must be strings without lone surrogates', name);
  });
  const sizes = Array.from(outputSizes, (size) => bytesOf('a size in outputSizes', size));
  if (!isStream(stdout) || !isStream(stderr))
    throw invalid('stdout and stderr must be Uint8Arrays, or strings without lone surrogates');
  if (!Number.isInteger(exitCode) || (exitCode | 0) !== exitCode)
    throw unlike('exitCode must be a signed 32-bit integer', exitCode);
  if (storedAt !== undefined && !(Number.isFinite(storedAt) && storedAt >= 0 && storedAt <= 8.64e15))
    throw unlike('storedAt must be a number of milliseconds since the epoch', storedAt);
  const total = totalSize ?? sizes.reduce((sum, size) => sum + size, 0);
  return {
    outputNames: names,
    outputSizes: sizes,
    stdout,
    stderr,
    exitCode,
    totalSize: bytesOf('totalSize', total),
    ...(storedAt !== undefined && { storedAt }),
  };
}
