import { fast, NEVER_KEEP, TICK } from './fast.js';
import type { Handle } from './handle.js';
import { native } from './native.js';

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
export const MORE_COPIES = 2;

/** Small copies share slabs of this many bytes, as Node's Buffer pool does. */
const SLAB_BYTES = 128 * 1024;
/** A larger value gets memory of its own, so that keeping the value does not keep a slab; see src-rs/binding/slab.rs. */
const SHARED_BYTES = SLAB_BYTES / 8;

// The addon's answers as views: of windows (mapped memory that is lent), or of copies. The addon copies small values by
// itself into the slab that it was given, and answers as if that were a window.
//
// Functions, not methods: the build has V8 compile them with the bundle, see scripts/build-js.mjs.

/** The first part of the last answer, given its status and key; `undefined` where it is no hit, or went away meanwhile. */
export function viewFirst(handle: Handle, status: number, key: string): Uint8Array | undefined {
  if (status >= 0) {
    const { answer } = handle;
    try {
      return new Uint8Array(handle.windows[status] as ArrayBuffer, answer[1], answer[2]);
    } catch {
      return viewPart(handle, 0);
    }
  }
  if (status > MUST_COPY) return undefined;
  if (status <= NEVER_KEEP) {
    if (status === TICK) handle.memo?.tick(key);
    return viewFirst(handle, handle.answer[0] as number, key);
  }
  if (status === MUST_MAKE_WINDOW) makeWindow(handle, 0);
  else if (handle.door !== 0 && (handle.answer[2] as number) <= SHARED_BYTES) renewSlab(handle);
  return viewPart(handle, 0);
}

/** A part of the last answer; `undefined` where it went away meanwhile. */
export function viewPart(handle: Handle, index: number): Uint8Array | undefined {
  const word = index * 3;
  const { answer } = handle;
  if (answer[word] === NEEDS_WINDOW) makeWindow(handle, index);
  const id = answer[word] as number;
  const length = answer[word + 2] as number;
  if (id < NEEDS_WINDOW) {
    try {
      return new Uint8Array(handle.windows[id] as ArrayBuffer, answer[word + 1], length);
    } catch {
      // Somebody detached the memory, by transferring a view's buffer. What they took stays theirs.
      if (id === MORE_COPIES) renewSlab(handle);
      else makeWindow(handle, index);
    }
  }
  return copyPart(handle, index, length);
}

function makeWindow(handle: Handle, index: number): void {
  const { answer } = handle;
  const buffer = native().window(handle.native, index);
  if (buffer != null) handle.windows[answer[MADE_WINDOW] as number] = buffer;
  if (buffer == null || answer[index * 3] === NEEDS_WINDOW) answer[index * 3] = COPY;
}

/** The fast door's slab is full, lost or not there yet: its next copies go into a new one, this one does not. */
function renewSlab(handle: Handle): void {
  if (handle.door === 0) return;
  const slab = makeSlab();
  handle.windows[MORE_COPIES] = slab;
  fast.slab(handle.door, slab);
}

function copyPart(handle: Handle, index: number, length: number): Uint8Array | undefined {
  const { hot, windows } = handle;
  if (length > SHARED_BYTES) {
    const target = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
    return hot.copyPart(index, target) === 0 ? target : undefined;
  }
  let status = hot.placePart(index);
  if (status === MUST_COPY) {
    const slab = makeSlab();
    windows[COPIES] = slab;
    status = hot.placePart(index, slab);
  }
  if (status !== COPIES) return undefined;
  return new Uint8Array(windows[COPIES] as ArrayBuffer, handle.answer[index * 3 + 1], length);
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
