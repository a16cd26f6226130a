import { fast } from '../fast.js';
import { type Handle, hot } from '../handle.js';
import { MUST_COPY, makeWindow, NEEDS_WINDOW, viewFirst } from '../lending.js';
import { type NativeShard, table } from '../native.js';

// The addon's answers as views where the usual way (lending.ts) does not lead: several parts, memory that somebody took
// away, and copies. The addon copies small values by itself into the slab that it was given, and answers as if that
// were a window.

/** Which window it is stands in the answer, and nobody may keep it; see src-rs/binding/fast.rs. */
export const NEVER_KEEP = -7;
/** The same, and a thousand hits went by since this was said last. */
export const TICK = -8;

/** The window number of the slab. */
const COPIES = 1;
/** That of the slab which the fast door copies into. */
export const MORE_COPIES = 2;

/** Small copies share slabs of this many bytes, as Node's Buffer pool does. */
const SLAB_BYTES = 128 * 1024;
/** A larger value gets memory of its own, so that keeping the value does not keep a slab; see src-rs/binding/slab.rs. */
const SHARED_BYTES = SLAB_BYTES / 8;

/** The parts that an answer of `count` parts tells of: all or none. */
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

/** The first part of the last answer, whose status said that it must be copied, or what the fast door says of its own. */
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
  return copy(handle, index, length);
}

/** The fast door's slab is full, lost or not there yet: its next copies go into a new one, this one does not. */
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

/** Whoever transferred one value's memory to a worker would take its neighbours' with it. */
function keep(slab: ArrayBuffer): void {
  try {
    // Loading this module takes a millisecond; programs that never copy never pay for it.
    (require('node:worker_threads') as typeof import('node:worker_threads')).markAsUntransferable(slab);
  } catch {
    // Not every runtime can. A slab that was taken away has no room left, and so the next value gets a new one.
  }
}

/** From now on all values of this shard are copies. */
export const neverLend = (shard: NativeShard): void => table('shard').neverLend(shard);
