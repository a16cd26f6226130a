import { fast } from './fast.js';
import type { HotCalls, NativeShard } from './native.js';

// Markers of src-rs/binding/exchange.rs and hot.rs.
const COPY = 0xffff_ffff;
const NEEDS_WINDOW = 0xffff_fffe;
const MUST_MAKE_WINDOW = -5;
/** Word of the answer with the number of the window made last. */
const MADE_WINDOW = 96;

const MUST_COPY = -4;
/** The window number of the slab. */
const COPIES = 1;
/** That of the slab which the fast door copies into. */
const MORE_COPIES = 2;

/** Small copies share slabs of this many bytes, as Node's Buffer pool does. */
const SLAB_BYTES = 128 * 1024;
/** A larger value gets memory of its own, so that keeping the value does not keep a slab; see src-rs/binding/slab.rs. */
const SHARED_BYTES = SLAB_BYTES / 8;

/**
 * Turns the addon's answers into views: of windows (mapped memory that is lent), or of copies. The addon copies small
 * values by itself into the slab that it was given, and answers as if that were a window.
 */
export class Lending {
  /** Window number -> the memory. The addon knows which numbers are valid. */
  readonly windows: ArrayBuffer[] = [];
  /** The answer: for each part window number or marker, offset, length. */
  readonly answer: Uint32Array;
  /** What the fast door calls the shard; zero while it is not used. */
  door = 0;

  constructor(
    readonly hot: HotCalls,
    readonly shard: NativeShard,
  ) {
    this.answer = new Uint32Array(hot.exchange, 0, 512);
  }

  /** The first part of the last answer, given its status. */
  first(status: number): Uint8Array | undefined {
    if (status === MUST_MAKE_WINDOW) this.#makeWindow(0);
    if (status === MUST_COPY && (this.answer[2] as number) <= SHARED_BYTES) this.#renewSlab();
    return this.part(0);
  }

  /** A part of the last answer; `undefined` where it went away meanwhile. */
  part(index: number): Uint8Array | undefined {
    const word = index * 3;
    if (this.answer[word] === NEEDS_WINDOW) this.#makeWindow(index);
    const id = this.answer[word] as number;
    const offset = this.answer[word + 1] as number;
    const length = this.answer[word + 2] as number;
    if (id < NEEDS_WINDOW) return this.#view(id, offset, length, index);
    return this.#copy(index, length);
  }

  /** A view of a window. */
  #view(id: number, offset: number, length: number, index: number): Uint8Array | undefined {
    try {
      return new Uint8Array(this.windows[id] as ArrayBuffer, offset, length);
    } catch {
      // Somebody detached the memory, by transferring a view's buffer. What they took stays theirs.
      if (id === MORE_COPIES) this.#renewSlab();
      else this.#makeWindow(index);
      return this.#copy(index, length);
    }
  }

  #makeWindow(index: number): void {
    const buffer = this.shard.window(index);
    if (buffer != null) this.windows[this.answer[MADE_WINDOW] as number] = buffer;
    if (buffer == null || this.answer[index * 3] === NEEDS_WINDOW) this.answer[index * 3] = COPY;
  }

  /** The fast door's slab is full, lost or not there yet: its next copies go into a new one, this one does not. */
  #renewSlab(): void {
    if (this.door === 0) return;
    const slab = makeSlab();
    this.windows[MORE_COPIES] = slab;
    fast.slab(this.door, slab);
  }

  #copy(index: number, length: number): Uint8Array | undefined {
    if (length > SHARED_BYTES) {
      const target = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
      return this.hot.copyPart(index, target) === 0 ? target : undefined;
    }
    let status = this.hot.placePart(index);
    if (status === MUST_COPY) {
      const slab = makeSlab();
      this.windows[COPIES] = slab;
      status = this.hot.placePart(index, slab);
    }
    if (status !== COPIES) return undefined;
    return new Uint8Array(this.windows[COPIES] as ArrayBuffer, this.answer[index * 3 + 1], length);
  }
}

function makeSlab(): ArrayBuffer {
  const slab = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer as ArrayBuffer;
  keep(slab);
  return slab;
}

/** Whoever transferred one value's memory to a worker would take its neighbours' with it. */
function keep(slab: ArrayBuffer): void {
  try {
    // Loading this module takes a millisecond; programs that never copy never pay for it.
    (require('node:worker_threads') as typeof import('node:worker_threads')).markAsUntransferable(slab);
  } catch {
    // Not every runtime can. A slab that was taken away has no room left, and so the next value gets a new one.
  }
}
