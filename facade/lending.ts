import { type Handle, hot } from './handle.js';
import { later } from './later.js';
import { native } from './native.js';

// Markers of src-rs/binding/exchange.rs and hot.rs.
const COPY = 0xffff_ffff;
export const NEEDS_WINDOW = 0xffff_fffe;
const MUST_MAKE_WINDOW = -5;
export const MUST_COPY = -4;
/** Word of the answer with the number of the window made last. */
const MADE_WINDOW = 96;

// The addon's answers as views of windows: mapped memory that is lent. Copies are in later/views.ts.
//
// Functions, not methods, so that the build can have V8 compile them with the bundle: see scripts/build-js.mjs.

/** The first part of the last answer, by its status and key; `undefined` if it is no hit, or has gone meanwhile. */
export function viewFirst(handle: Handle, status: number, key?: string): Uint8Array | undefined {
  const { answer } = handle;
  if (status >= 0) {
    try {
      return new Uint8Array(handle.windows[status] as ArrayBuffer, answer[1], answer[2]);
    } catch {
      return viewOtherwise(handle, 'viewPart');
    }
  }
  if (status > MUST_COPY) return undefined;
  if (status !== MUST_MAKE_WINDOW) return viewOtherwise(handle, 'viewCopy', status, key);
  makeWindow(handle, 0);
  const window = answer[0] as number;
  return window < NEEDS_WINDOW ? viewFirst(handle, window) : viewOtherwise(handle, 'viewPart');
}

/** By later/views.ts; or, if that cannot be loaded (no file descriptor is left, for example), as a copy. */
function viewOtherwise(
  handle: Handle,
  how: 'viewPart' | 'viewCopy',
  status?: number,
  key?: string,
): Uint8Array | undefined {
  try {
    return later()[how](handle, 0, status, key);
  } catch {
    const target = new Uint8Array(handle.answer[2] as number);
    return hot(handle).copyPart(0, target) === 0 ? target : undefined;
  }
}

/** Makes the window for a part of the last answer. If that fails, the answer then says that the part is to be copied. */
export function makeWindow(handle: Handle, index: number): void {
  const { answer } = handle;
  const buffer = native().window(handle.native, index);
  if (buffer != null) handle.windows[answer[MADE_WINDOW] as number] = buffer;
  if (buffer == null || answer[index * 3] === NEEDS_WINDOW) answer[index * 3] = COPY;
}
