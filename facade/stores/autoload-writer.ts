import { WarmshardError } from '../errors.js';
import { isBytes, show, unlike } from '../later/checks.js';
import type { AutoloadCache } from './autoload-cache.js';
import { Slabs } from './slab.js';

/** Bytes of a slab that a writer copies blobs into. */
const SLAB_BYTES = 1024 * 1024;
/** Longest name, in bytes of UTF-8. */
const MAX_NAME_BYTES = 4094;

/** Collects functions until `commit` stores them all at once. */
export class AutoloadShardWriter {
  readonly #cache: AutoloadCache;
  readonly #most: number;
  #entries = new Map<string, Uint8Array>();
  #slabs = new Slabs(SLAB_BYTES);

  /** @internal Made by `AutoloadCache.writer`. */
  constructor(cache: AutoloadCache, maxEntryBytes: number) {
    this.#cache = cache;
    this.#most = maxEntryBytes;
  }

  /** Functions collected since the last commit. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Adds a function, in place of an earlier one of the same name. The blob is copied.
   *
   * @throws WarmshardError `ERR_INVALID_KEY`, `ERR_INVALID_ARG`, `ERR_TOO_LARGE`: at once, so that one wrong entry does
   * not spoil a commit
   */
  add(name: string, blob: Uint8Array): this {
    checkName(name);
    if (!isBytes(blob) || isDetached(blob))
      throw unlike('a blob must be a Uint8Array whose memory was not transferred', blob);
    if (blob.length > this.#most)
      throw new WarmshardError(
        'ERR_TOO_LARGE',
        `the blob is ${blob.length} bytes, more than the ${this.#most} allowed; raise maxEntryBytes`,
      );
    const copy = this.#slabs.allocate(blob.length);
    copy.set(blob);
    this.#entries.set(name, copy);
    return this;
  }

  /**
   * Stores the collected functions with one publish and starts a new collection. Returns how many there were; none
   * write nothing. If it throws, the functions are kept and can be committed again.
   *
   * @throws WarmshardError as `AutoloadCache.mergeIn`
   */
  commit(): number {
    const count = this.#cache.mergeIn(this.#entries);
    this.#entries = new Map();
    this.#slabs = new Slabs(SLAB_BYTES);
    return count;
  }
}

/** Whether a view's memory was transferred, so that it looks like an empty one. */
function isDetached(view: Uint8Array): boolean {
  if (view.length > 0) return false;
  try {
    new Uint8Array(view.buffer);
    return false;
  } catch {
    return true;
  }
}

function checkName(name: string): void {
  const wrong = (what: string) => new WarmshardError('ERR_INVALID_KEY', `the name of a function ${what}`);
  if (typeof name !== 'string') throw wrong(`must be a string, not ${show(name)}`);
  if (name === '') throw wrong('is empty; give every function one');
  if (!name.isWellFormed()) throw wrong('holds a lone surrogate, which UTF-8 cannot tell from another one');
  // A unit of UTF-16 has at most three bytes of UTF-8.
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw wrong(`is longer than the ${MAX_NAME_BYTES} bytes allowed; use a digest of it instead`);
}
