import { flag, object, oneOf, whole } from '../../later/checks.js';
import { type NativePipeline, table } from '../../native.js';
import { mustCopy } from '../../options.js';
import { absolutePath } from '../../paths.js';
import type { Durability } from '../../reports.js';
import { userCacheFolder } from '../user-cache.js';
import { metricsOf, type PipelineMetrics, type PipelineStore } from './metrics.js';
import { requireArtifact, requireFingerprint } from './rules.js';

/** How a `DiskPipelineCache` is opened. */
export interface DiskPipelineOptions {
  /**
   * `flush`, and `put` now and then, remove the files modified longest ago until all files together have at most this
   * many bytes. Default 1 GiB.
   */
  maxBytes?: number | undefined;
  /** Never lend mapped memory: every artifact is a copy. Default false; always so if the runtime forbids lending. */
  copy?: boolean | undefined;
  /**
   * `'mmap'` (default): lend artifacts of 256 KiB and more from a memory mapping, if the file system allows it.
   * `'read'`: read them.
   */
  access?: 'mmap' | 'read' | undefined;
  /**
   * Which files are used. `'private'` (default): those of this user that nobody else can write to. `'group'`: also
   * those that a group can write to. `'system'`: also those of root that nobody else can write to. All others are
   * misses.
   */
  trust?: 'private' | 'group' | 'system' | undefined;
  /** Never change anything; read permission is enough. Default false. */
  readOnly?: boolean | undefined;
}

/**
 * Artifacts on disk, one file for each fingerprint: `<root>/<64 hex digits>.bin`.
 *
 * A file is verified each time it is read: one that is torn, damaged, too large or another fingerprint's is a miss, and
 * so is anything but a regular file that `trust` allows. Any number of processes may share a folder.
 */
export class DiskPipelineCache implements PipelineStore {
  /** The same as the constructor. */
  static open(root: string, options?: DiskPipelineOptions): DiskPipelineCache {
    return new DiskPipelineCache(root, options);
  }

  /**
   * The cache in the user's cache folder: `$XDG_CACHE_HOME/<app>`, else `~/.cache/<app>`, on macOS
   * `~/Library/Caches/<app>`.
   *
   * @throws WarmshardError as the constructor; `ERR_INVALID_ARG` also if neither XDG_CACHE_HOME nor HOME names a folder
   */
  static inUserCache(app: string, options?: DiskPipelineOptions): DiskPipelineCache {
    return new DiskPipelineCache(userCacheFolder(app), options);
  }

  /** The folder of the files; absolute. */
  readonly root: string;
  /** Whether this cache was opened with `readOnly`. */
  readonly readOnly: boolean;
  readonly #native: NativePipeline;

  /**
   * The cache in a folder, which the first `put` makes.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_NATIVE_LOAD`
   */
  constructor(root: string, options: DiskPipelineOptions = {}) {
    this.root = absolutePath(root, 'root');
    object('options', options);
    whole('maxBytes', options.maxBytes);
    flag('copy', options.copy);
    flag('readOnly', options.readOnly);
    oneOf('access', options.access, ['mmap', 'read']);
    oneOf('trust', options.trust, ['private', 'group', 'system']);
    const copy = mustCopy(options.copy);
    this.readOnly = options.readOnly ?? false;
    this.#native = table('pipeline').open(this.root, {
      readOnly: this.readOnly,
      mapped: !copy && options.access !== 'read',
      ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }),
      ...(options.trust !== undefined && { trust: options.trust }),
    });
  }

  /**
   * The artifact of a fingerprint, or `undefined`, also if the system refuses to read it. Large ones are lent, not
   * copied: they stay valid whatever happens to the file.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  get(fingerprint: Uint8Array): Uint8Array | undefined {
    requireFingerprint(fingerprint);
    const found = table('pipeline').get(this.#native, fingerprint);
    if (found == null) return undefined;
    if (!ArrayBuffer.isView(found)) return new Uint8Array(found);
    return new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
  }

  /**
   * Whether `get` would find an artifact; this reads and verifies the file. Not counted in `metrics()`.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  has(fingerprint: Uint8Array): boolean {
    requireFingerprint(fingerprint);
    return table('pipeline').has(this.#native, fingerprint);
  }

  /**
   * Stores an artifact of at most 64 MiB; every process sees it at its next `get`. One that is larger, or that the
   * system refuses, is not stored but counted in `metrics().rejectedPuts`; what was there stays.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_CLOSED`
   */
  put(fingerprint: Uint8Array, artifact: Uint8Array): void {
    requireFingerprint(fingerprint);
    requireArtifact(artifact);
    table('pipeline').put(this.#native, fingerprint, artifact);
  }

  /**
   * Removes what is at a fingerprint's path. Returns whether there was something.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_READ_ONLY`, `ERR_IO`, `ERR_CLOSED`
   */
  remove(fingerprint: Uint8Array): boolean {
    requireFingerprint(fingerprint);
    return table('pipeline').remove(this.#native, fingerprint);
  }

  /**
   * Makes everything that this object has put survive a power cut: syncs the pending files, sixteen at a time, then the
   * folder. What failed stays pending, and the next `flush` tries again.
   *
   * @throws WarmshardError `ERR_IO`, `ERR_NO_SPACE`, `ERR_CLOSED`
   */
  flush(): void {
    table('pipeline').flush(this.#native);
  }

  /** `flush` off the event loop. */
  async flushAsync(): Promise<void> {
    await table('pipeline').flushAsync(this.#native);
  }

  /**
   * What a power cut now might cost, of what this object has put.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  durabilityReport(): Durability {
    return table('pipeline').durability(this.#native) as Durability;
  }

  /**
   * Statistics of what this object did, and of the folder, which is walked for them. Temporary files of dead writers
   * are removed on the way.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  metrics(): PipelineMetrics {
    return metricsOf(table('pipeline').metrics(this.#native));
  }

  /**
   * Removes every artifact; other files in the folder stay. Returns how many there were.
   *
   * @throws WarmshardError `ERR_READ_ONLY`, `ERR_IO`, `ERR_CLOSED`
   */
  clear(): number {
    return table('pipeline').clear(this.#native);
  }

  /** Closes this object, without flushing; closing it again does nothing. Artifacts that it returned stay valid. */
  close(): void {
    table('pipeline').close(this.#native);
  }

  /** `using cache = DiskPipelineCache.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
