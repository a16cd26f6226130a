import { fast } from '../fast.js';
import { type Handle, hot } from '../handle.js';
import { MUST_COPY, makeWindow, NEEDS_WINDOW, viewFirst } from '../lending.js';
import { type NativeShard, table } from '../native.js';

// The addon's answers as views, in the cases that lending.ts does not handle: several parts, detached memory, and copies.
// The addon itself copies small values into the slab that it was given, and answers as if that were a window.

/** A status of the fast door: the answer names the window, but must not be kept; see src-rs/binding/fast.rs. */
export const NEVER_KEEP = -7;
/** The same, at every 1,024th hit. */
export const TICK = -8;

/** The window number of the slab. */
const COPIES = 1;
/** The window number of the slab that the fast door copies into. */
export const MORE_COPIES = 2;

/** Small copies share slabs of this many bytes, as Node's Buffer pool does. */
const SLAB_BYTES = 128 * 1024;
/** A larger value gets memory of its own, so that keeping the value does not keep a slab; see src-rs/binding/slab.rs. */
const SHARED_BYTES = SLAB_BYTES / 8;

/** The parts of the last answer, which has `count` of them: all or none. */
export function viewParts(handle: Handle, count: number): Record<string, Uint8Array> | undefined {
  const names = handle.partNames;
  if (count !== names.length) return undefined;
  const parts: Record<string, Uint8Array> = {};
  for (let i = 0; i < count; i++) {
    const part = viewPart(handle, i);
    if (part === undefined) return undefined;
    parts[names[i] as string] = part;
  }
  return parts;
}

/** A part of the last answer, whose status is that it must be copied, or one that only the fast door has. */
export function viewCopy(
  handle: Handle,
  index: number,
  status?: number,
  key?: string,
): Uint8Array | undefined {
  if (status !== undefined && status <= NEVER_KEEP) {
    if (status === TICK) handle.memo?.tick(key as string);
    return viewFirst(handle, handle.answer[0] as number);
  }
  if ((handle.answer[2] as number) <= SHARED_BYTES) renewSlab(handle);
  return viewPart(handle, index);
}

/** A part of the last answer; `undefined` if it has gone meanwhile. */
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
      // The program has detached the memory, by transferring a view's buffer. What it has taken stays valid.
      if (id === MORE_COPIES) renewSlab(handle);
      else makeWindow(handle, index);
    }
  }
  return copy(handle, index, length);
}

/** For a slab of the fast door that is full, lost or not there yet: the door's next copies go into a new one. */
function renewSlab(handle: Handle): void {
  if (handle.door === 0) return;
  const slab = makeSlab();
  handle.windows[MORE_COPIES] = slab;
  fast.slab(handle.door, slab);
}

function copy(handle: Handle, index: number, length: number): Uint8Array | undefined {
  const { windows } = handle;
  const { copyPart, placePart } = hot(handle);
  if (length > SHARED_BYTES) {
    const target = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
    return copyPart(index, target) === 0 ? target : undefined;
  }
  let status = placePart(index);
  if (status === MUST_COPY) {
    const slab = makeSlab();
    windows[COPIES] = slab;
    status = placePart(index, slab);
  }
  if (status !== COPIES) return undefined;
  return new Uint8Array(windows[COPIES] as ArrayBuffer, handle.answer[index * 3 + 1], length);
}

function makeSlab(): ArrayBuffer {
  const slab = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer as ArrayBuffer;
  keep(slab);
  return slab;
}

/** Keeps a slab from being transferred to a worker with one of its values, which would detach all others. */
function keep(slab: ArrayBuffer): void {
  try {
    // Loading this module takes a millisecond; programs that never copy never pay for it.
    (require('node:worker_threads') as typeof import('node:worker_threads')).markAsUntransferable(slab);
  } catch {
    // Not every runtime can. A slab that was transferred has no room left, so the next value gets a new one.
  }
}

/** Makes all further values of a shard copies. */
export const neverLend = (shard: NativeShard): void => table('shard').neverLend(shard);
