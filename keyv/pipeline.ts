import { invalid } from '../facade/errors.js';
import { object, unlike, whole } from '../facade/later/checks.js';
import { isStore } from '../facade/stores/pipeline/layered.js';
import { ReadThrough } from '../facade/stores/pipeline/read-through.js';
import {
  DEFAULT_CONCURRENT,
  DEFAULT_TIMEOUT_MS,
  type Ending,
  MAX_CONCURRENT,
  MAX_TIMEOUT_MS,
  Requests,
  within,
} from '../facade/stores/pipeline/requests.js';
import {
  FOOTER_BYTES,
  hexOf,
  MAX_ARTIFACT_BYTES,
  requireArtifact,
  requireFingerprint,
} from '../facade/stores/pipeline/rules.js';
import { encodeArtifact, type PipelineMetrics, type PipelineStore, WarmshardError } from '../index.js';
import { receive, send } from './artifacts.js';

const DEFAULT_MAX_PENDING_BYTES = 256 * 1024 * 1024;

/** What a `KeyvPipelineCache` needs of a Keyv. Its adapters have it as well, and so has a `Map`. */
export interface KeyvLike {
  get(key: string): unknown;
  set(key: string, value: string, ttl?: number): unknown;
  on?(event: string, listener: (error: unknown) => void): unknown;
  off?(event: string, listener: (error: unknown) => void): unknown;
}

/** How a `KeyvPipelineCache` uses its engine. */
export interface KeyvPipelineOptions {
  /** Asked and filled first, such as a `DiskPipelineCache`. It remains yours to close. */
  local?: PipelineStore | undefined;
  /** How long a look-up or a write may take, in milliseconds, its wait for others included. Default 10000. */
  timeout?: number | undefined;
  /** Most bytes of an artifact that is sent or accepted. Default and maximum: 64 MiB. Many engines allow less. */
  maxBytes?: number | undefined;
  /** Most look-ups at a time, and most writes at a time, 1 to 1024; others wait. Default 16. */
  maxConcurrent?: number | undefined;
  /** Most bytes of artifacts that may be on their way to the engine; what comes on top is not sent. Default 256 MiB. */
  maxPendingBytes?: number | undefined;
  /** How long the engine is to keep an artifact, in milliseconds. Default: the Keyv's own `ttl`. */
  ttl?: number | undefined;
}

/** How look-ups in the engine ended. `requests` is the sum of all others except `dropped`, `waiting` and `errors`. */
export interface KeyvReadMetrics {
  /** Look-ups that have ended. */
  requests: number;
  /** Answered with a sound artifact. */
  found: number;
  /** Answered with nothing. Keyv 5 and 6 also say so when their engine fails. */
  notFound: number;
  /** Rejected. */
  failed: number;
  /** Answered with more than `maxBytes`. */
  oversized: number;
  /** Answered with what is no artifact, or a damaged one, or another fingerprint's. */
  rejected: number;
  /** Not answered in time. */
  timedOut: number;
  /** Ended by `close`. */
  aborted: number;
  /** Never asked: too many were waiting. */
  dropped: number;
  /** In progress or waiting now. */
  waiting: number;
  /** Errors that the Keyv has emitted, about whatever. */
  errors: number;
}

/** How writes to the engine ended. `requests` is the sum of `stored`, `failed`, `timedOut` and `aborted`. */
export interface KeyvWriteMetrics {
  /** Writes that have ended. */
  requests: number;
  /** Stored, as the engine says. */
  stored: number;
  /** Rejected, or answered with `false`. */
  failed: number;
  /** Not answered in time, so the engine may have stored them; or not even sent in time. */
  timedOut: number;
  /** Ended by `close`. */
  aborted: number;
  /** Never sent, because larger than `maxBytes`. */
  oversized: number;
  /** Never sent, because `maxPendingBytes` were on their way, or too many were waiting. */
  dropped: number;
  /** In progress or waiting now. */
  waiting: number;
  /** Bytes of artifacts that the engine has not answered for yet; those that timed out among them. */
  pendingBytes: number;
}

/** Statistics: look-ups, hits and misses are the cache's own; all else but `remote` and `writes` is the local store's. */
export interface KeyvPipelineMetrics extends PipelineMetrics {
  /** Look-ups in the engine. */
  remote: KeyvReadMetrics;
  /** Writes to the engine. */
  writes: KeyvWriteMetrics;
}

/**
 * Artifacts by fingerprint on a distributed engine, behind a local store: on Redis, Valkey, Memcached, etcd, Postgres
 * and whatever else a Keyv can be over. A look-up asks the local store, then the engine. A `put` is local at once, and
 * sent to the engine in the background.
 *
 * An answer is verified before it is used. Whatever the engine does is a miss, or a write that is not made, and is
 * counted; it never throws, and never takes longer than `timeout`. The footer detects damage, not forgery: use an
 * engine that you would allow to run code.
 *
 * @example
 * const redis = new Keyv(new KeyvRedis('redis://cache.example'), { namespace: 'my-compiler' });
 * const cache = new KeyvPipelineCache(redis, { local: DiskPipelineCache.inUserCache('my-compiler') });
 * let artifact = await cache.get(key);
 * if (artifact === undefined) cache.put(key, (artifact = compile(source)));
 * await cache.flush();
 */
export class KeyvPipelineCache {
  readonly #keyv: KeyvLike;
  readonly #local: PipelineStore | undefined;
  readonly #maxBytes: number;
  readonly #maxPendingBytes: number;
  readonly #ttl: number | undefined;
  readonly #reads: Requests<'found' | 'notFound' | 'oversized' | 'rejected'>;
  readonly #through: ReadThrough<'found' | 'notFound' | 'oversized' | 'rejected'>;
  readonly #writes: Requests<'stored'>;
  readonly #onError = () => {
    this.#errors++;
  };
  #closed = false;
  #errors = 0;
  #oversized = 0;
  #dropped = 0;
  #pendingBytes = 0;

  /**
   * @param keyv the Keyv over the engine, which remains yours to disconnect. It gets a listener for its errors: without
   * one, Keyv 4 and 6 would throw them
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  constructor(keyv: KeyvLike, options: KeyvPipelineOptions = {}) {
    if (typeof keyv?.get !== 'function' || typeof keyv.set !== 'function')
      throw unlike('keyv must be a Keyv, with get and set', keyv);
    object('options', options);
    const { local, ttl } = options;
    if (local !== undefined && !isStore(local))
      throw unlike('local must be a store with get, put, flush and metrics', local);
    whole('ttl', ttl);
    if (ttl === 0) throw invalid('ttl must be 1 or more; leave it out for no limit');
    const limits = {
      timeout: within('timeout', options.timeout, DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS),
      maxConcurrent: within('maxConcurrent', options.maxConcurrent, DEFAULT_CONCURRENT, 1, MAX_CONCURRENT),
      limitsWaiting: true,
    };
    this.#maxBytes = within('maxBytes', options.maxBytes, MAX_ARTIFACT_BYTES, 0, MAX_ARTIFACT_BYTES);
    const { MAX_SAFE_INTEGER } = Number;
    const pending = within(
      'maxPendingBytes',
      options.maxPendingBytes,
      DEFAULT_MAX_PENDING_BYTES,
      0,
      MAX_SAFE_INTEGER,
    );
    this.#maxPendingBytes = pending;
    this.#keyv = keyv;
    this.#local = local;
    this.#ttl = ttl;
    const endings: Ending[] = ['failed', 'timedOut', 'aborted'];
    this.#reads = new Requests(['found', 'notFound', 'oversized', 'rejected', ...endings], limits);
    this.#through = new ReadThrough(local, this.#reads, async (fingerprint, hex) =>
      receive(await keyv.get(hex), fingerprint, this.#maxBytes),
    );
    this.#writes = new Requests(['stored', ...endings], limits);
    keyv.on?.('error', this.#onError);
  }

  /**
   * The artifact of a fingerprint: from the local store, else from the engine, else `undefined`. Concurrent calls for
   * the same fingerprint share one look-up and its bytes. What the engine has is put into the local store.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`, and what the local store throws
   */
  async get(fingerprint: Uint8Array): Promise<Uint8Array | undefined> {
    requireFingerprint(fingerprint);
    this.#requireOpen();
    return this.#through.get(fingerprint);
  }

  /**
   * Stores an artifact in the local store at once, and sends it to the engine in the background. One that is larger than
   * `maxBytes`, or for which there is no room among those on their way, is not sent, and counted. While an artifact is
   * on its way, another one of its fingerprint is not sent.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`, and what the local store throws; nothing is sent then
   */
  put(fingerprint: Uint8Array, artifact: Uint8Array): void {
    requireFingerprint(fingerprint);
    requireArtifact(artifact);
    this.#requireOpen();
    this.#local?.put(fingerprint, artifact);
    const hex = hexOf(fingerprint);
    if (this.#writes.has(hex)) return;
    if (artifact.length > this.#maxBytes) {
      this.#oversized++;
      return;
    }
    const bytes = artifact.length + FOOTER_BYTES;
    if (this.#pendingBytes + bytes > this.#maxPendingBytes) {
      this.#dropped++;
      return;
    }
    // A copy: the caller may write to its array afterwards.
    this.#send(hex, encodeArtifact(fingerprint, artifact));
  }

  #send(hex: string, sealed: Uint8Array): void {
    this.#pendingBytes += sealed.length;
    const release = () => {
      this.#pendingBytes -= sealed.length;
    };
    let sent = false;
    const written = this.#writes.ask<undefined>(hex, async () => {
      sent = true;
      // An engine that does not answer may hold the bytes for as long as it likes, so they count for as long.
      const storing = (async () => this.#keyv.set(hex, send(sealed), this.#ttl))();
      storing.then(release, release);
      return [(await storing) === false ? 'failed' : 'stored'];
    });
    written.then(() => {
      if (!sent) release();
    });
  }

  /**
   * Waits until the writes that are on their way have ended, well or not, which takes `timeout` at most; then flushes the
   * local store.
   *
   * @throws WarmshardError `ERR_CLOSED`, and what the local store throws
   */
  async flush(): Promise<void> {
    this.#requireOpen();
    await this.#writes.settled();
    this.#local?.flush();
  }

  /** Statistics of this cache, its engine and its local store. */
  metrics(): KeyvPipelineMetrics {
    const writes = this.#writes.metrics();
    return {
      ...this.#through.metrics(),
      remote: { ...this.#reads.metrics(), errors: this.#errors },
      writes: {
        ...writes,
        oversized: this.#oversized,
        dropped: writes.dropped + this.#dropped,
        pendingBytes: this.#pendingBytes,
      },
    };
  }

  /**
   * Closes this cache: look-ups in progress end as misses, and what is not sent yet is not sent; `flush` before it.
   * Closing it again does nothing. The Keyv and the local store stay open.
   */
  close(): void {
    this.#closed = true;
    this.#reads.close();
    this.#writes.close();
    this.#keyv.off?.('error', this.#onError);
  }

  /** `using cache = new KeyvPipelineCache(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw new WarmshardError('ERR_CLOSED', 'the cache is closed; make another one');
  }
}
