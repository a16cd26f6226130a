import { invalid, WarmshardError } from '../../errors.js';
import { object, show, unlike } from '../../later/checks.js';
import { isStore } from './layered.js';
import type { PipelineMetrics, PipelineStore } from './metrics.js';
import { ReadThrough } from './read-through.js';
import { type Fetch, type Outcome, request } from './request.js';
import {
  DEFAULT_CONCURRENT,
  DEFAULT_TIMEOUT_MS,
  MAX_CONCURRENT,
  MAX_TIMEOUT_MS,
  Requests,
  within,
} from './requests.js';
import { MAX_ARTIFACT_BYTES, requireFingerprint } from './rules.js';

/** How a `RemotePipelineCache` sends requests. */
export interface RemotePipelineOptions {
  /** Asked first; what the server returns is put into it. */
  local?: PipelineStore | undefined;
  /** Time limit for a whole request, including its body, in milliseconds. Default 10000. */
  timeout?: number | undefined;
  /** Most bytes of an artifact. Default and maximum: 64 MiB. */
  maxBytes?: number | undefined;
  /** Sent with each request, such as `authorization`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Most requests at a time, 1 to 1024; others wait. Default 16. */
  maxConcurrent?: number | undefined;
  /** Used instead of Node.js' own `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/**
 * How the requests of a `RemotePipelineCache` ended. `requests` is the sum of all others except `dropped` and
 * `waiting`.
 */
export interface RemoteMetrics {
  /** Requests that were sent and have ended. */
  requests: number;
  /** Answered with a sound artifact. */
  found: number;
  /** Answered with 404 or 410. */
  notFound: number;
  /** Answered with a redirect, which is never followed. */
  redirected: number;
  /** Not answered, interrupted, or answered with any other status. */
  failed: number;
  /** Answered with more than `maxBytes`. */
  oversized: number;
  /** Answered with bytes whose footer is wrong: damaged, truncated, or another fingerprint's. */
  rejected: number;
  /** Not finished in time. */
  timedOut: number;
  /** Ended by `close`. */
  aborted: number;
  /** Never sent: too many were waiting. */
  dropped: number;
  /** In progress or waiting now. */
  waiting: number;
}

/**
 * Statistics of a `RemotePipelineCache`: look-ups, hits and misses are its own; everything else but `remote` is that of
 * its local store.
 */
export interface RemotePipelineMetrics extends PipelineMetrics {
  /** How its requests ended. */
  remote: RemoteMetrics;
}

/** Every counter of `RemoteMetrics` that an ended request may raise. */
const OUTCOMES = [
  'found',
  'notFound',
  'redirected',
  'failed',
  'oversized',
  'rejected',
  'timedOut',
  'aborted',
] as const;

/**
 * Artifacts on a server: `GET <base>/<64 hex digits>.bin` must return payload and footer, as `encodeArtifact` makes
 * them and as they are in the files of a `DiskPipelineCache`.
 *
 * A response is verified before it is used. Whatever goes wrong is a miss, and counted. The footer detects damage, not
 * forgery: use https, and a server that you would allow to run code.
 */
export class RemotePipelineCache {
  readonly #base: URL;
  readonly #local: PipelineStore | undefined;
  readonly #maxBytes: number;
  readonly #headers: Record<string, string>;
  readonly #fetch: Fetch | undefined;
  readonly #requests: Requests<Outcome>;
  readonly #reads: ReadThrough<Outcome>;
  #closed = false;

  /**
   * The cache below an `http:` or `https:` URL. A query in the URL is sent with each request.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`
   */
  constructor(baseUrl: string | URL, options: RemotePipelineOptions = {}) {
    object('options', options);
    this.#base = parseBase(baseUrl);
    const { local, timeout, maxBytes, maxConcurrent, fetch } = options;
    const limits = {
      timeout: within('timeout', timeout, DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS),
      maxConcurrent: within('maxConcurrent', maxConcurrent, DEFAULT_CONCURRENT, 1, MAX_CONCURRENT),
      limitsWaiting: false,
    };
    this.#requests = new Requests(OUTCOMES, limits);
    this.#maxBytes = within('maxBytes', maxBytes, MAX_ARTIFACT_BYTES, 0, MAX_ARTIFACT_BYTES);
    this.#headers = checkHeaders(options.headers ?? {});
    if (fetch !== undefined && typeof fetch !== 'function') throw unlike('fetch must be a function', fetch);
    this.#fetch = fetch as Fetch | undefined;
    if (local !== undefined && !isStore(local))
      throw unlike('local must be a store with get, put, flush and metrics', local);
    this.#local = local;
    this.#reads = new ReadThrough(local, this.#requests, (...asked) => this.#ask(...asked));
  }

  /**
   * The artifact of a fingerprint: from the local store, else from the server, else `undefined`. Concurrent calls for
   * the same fingerprint share one request and its bytes.
   *
   * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_CLOSED`, and what the local store throws
   */
  async get(fingerprint: Uint8Array): Promise<Uint8Array | undefined> {
    requireFingerprint(fingerprint);
    this.#requireOpen();
    return this.#reads.get(fingerprint);
  }

  #ask(fingerprint: Uint8Array, hex: string, signal: AbortSignal): ReturnType<typeof request> {
    const url = new URL(this.#base);
    url.pathname += `${hex}.bin`;
    return request(url.href, fingerprint, {
      fetch: this.#fetch ?? (globalThis.fetch as Fetch),
      headers: this.#headers,
      maxBytes: this.#maxBytes,
      signal,
    });
  }

  /**
   * Flushes the local store.
   *
   * @throws WarmshardError `ERR_CLOSED`, and what the local store throws
   */
  flush(): void {
    this.#requireOpen();
    this.#local?.flush();
  }

  /** Statistics of this cache and its local store. */
  metrics(): RemotePipelineMetrics {
    return {
      ...this.#reads.metrics(),
      remote: this.#requests.metrics(),
    };
  }

  /** Closes this cache; requests in progress end as misses. Closing it again does nothing. The local store stays open. */
  close(): void {
    this.#closed = true;
    this.#requests.close();
  }

  /** `using cache = new RemotePipelineCache(...)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new WarmshardError('ERR_CLOSED', `the cache of ${this.#base.origin} is closed; make another one`);
  }
}

function parseBase(baseUrl: string | URL): URL {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw unlike('baseUrl must be a URL, with http: or https:', baseUrl);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid(`baseUrl must be http: or https:, not ${url.protocol}`);
  if (url.username !== '' || url.password !== '')
    throw invalid('baseUrl must not hold a password; give an authorization header');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.hash = '';
  return url;
}

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  object('headers', headers);
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const sound = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && typeof value === 'string';
    // The characters that a header may contain: a line break would begin another header.
    if (!sound || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw invalid(`headers holds ${show(name)}, which has no name or value that HTTP can send`);
    checked[name] = value;
  }
  return checked;
}
