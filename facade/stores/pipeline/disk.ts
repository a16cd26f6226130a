import { flag, object, oneOf, whole } from '../../later/checks.js';
import { type NativePipeline, table } from '../../native.js';
import { mustCopy } from '../../options.js';
import { absolutePath } from '../../paths.js';
import type { Durability } from '../../reports.js';
import { userCacheFolder } from '../user-cache.js';
import { requireArtifact, requireFingerprint } from './fingerprint.js';
import { metricsOf, type PipelineMetrics, type PipelineStore } from './metrics.js';

/** How a `DiskPipelineCache` is opened. */
export interface DiskPipelineOptions {
  /**
   * `flush`, and `put` now and then, remove the files modified longest ago until all together have at most this many
   * bytes. Default 1 GiB.
   */
  maxBytes?: number | undefined;
  /** Never lend mapped memory: every artifact is a copy. Default false; always so where the runtime forbids lending. */
  copy?: boolean | undefined;
  /** Lend artifacts of 256 KiB and more from a memory mapping (default, where the file system allows it), or read them. */
  access?: 'mmap' | 'read' | undefined;
  /**
   * Which files are believed: `'private'` (default): ours, writable by nobody else. `'group'`: a group may write
   * too. `'system'`: root's as well. Others read as misses.
   */
  trust?: 'private' | 'group' | 'system' | undefined;
  /** Never change anything; read permission is enough. Default false. */
  readOnly?: boolean | undefined;
}

/**
 * Artifacts on disk, one file for each fingerprint: `<root>/<64 hex digits>.bin`.
 *
 * A file is verified each time it is read: torn, rotten, oversized or another fingerprint's, and anything that is no
 * regular file of ours, is a miss. Any number of processes may share a folder.
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
   * @throws WarmshardError `ERR_INVALID_ARG` also where neither XDG_CACHE_HOME nor HOME tells a folder
   */
  static inUserCache(app: string, options?: DiskPipelineOptions): DiskPipelineCache {
    return new DiskPipelineCache(userCacheFolder(app), options);
  }

  /** Where the files are; absolute. */
  readonly root: string;
  /** Whether this cache never changes anything. */
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
   * The artifact of a fingerprint, or `undefined`: also for what the system would not let us read. Large ones are lent,
   * not copied: they stay valid whatever becomes of the file.
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
   * Whether `get` would find an artifact; the file is read and verified for that. Not counted in `metrics()`.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`
   */
  has(fingerprint: Uint8Array): boolean {
    requireFingerprint(fingerprint);
    return table('pipeline').has(this.#native, fingerprint);
  }

  /**
   * Stores an artifact of at most 64 MiB; every process sees it at its next `get`. What is larger, and what the system
   * refuses, is counted in `metrics().rejectedPuts` and not stored; what was there stays.
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
   * Makes everything that this object put survive a power cut: syncs the pending files, sixteen at a time, then the
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
   * What a power cut now might cost, of what this object put.
   *
   * @throws WarmshardError `ERR_CLOSED`
   */
  durabilityReport(): Durability {
    return table('pipeline').durability(this.#native) as Durability;
  }

  /**
   * Numbers on what this object did, and on the folder, which is walked for that. What writers that died left
   * behind is removed by the way.
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

  /** Ends the use of this object; again: nothing. It does not flush. Artifacts that it gave stay valid. */
  close(): void {
    table('pipeline').close(this.#native);
  }

  /** `using cache = DiskPipelineCache.open(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
