//! Memory for copies of small values: an `ArrayBuffer` that many of them share, filled once from its start to its
//! end.
//!
//! The facade makes it, because only JavaScript can get memory that is not zeroed first. The address is not
//! kept here but read again before each copy, because a program that has a view can transfer the memory away
//! (`ArrayBuffer.prototype.transfer`). Then the buffer has no bytes left, and thus no room.
#![allow(unsafe_code)]

use napi::sys;
use std::cell::Cell;
use std::ptr;

/// Values start at multiples of this many bytes.
const ALIGN: usize = 16;
/// A value larger than the slab divided by this gets its own memory, so that keeping the value does not keep
/// a whole slab.
pub const SHARE: usize = 8;

/// See the module's head.
pub struct Slab {
    env: sys::napi_env,
    reference: sys::napi_ref,
    len: usize,
    /// Bytes before this offset are never written again.
    used: Cell<usize>,
}

impl Slab {
    /// Takes over an `ArrayBuffer` of which there is no view yet. `None` for anything else.
    ///
    /// # Safety
    /// `env` and `buffer` are those of the running callback.
    pub unsafe fn new(env: sys::napi_env, buffer: sys::napi_value) -> Option<Self> {
        let (mut data, mut len, mut reference) = (ptr::null_mut(), 0, ptr::null_mut());
        // SAFETY: plain out-parameters; Node-API refuses what is not an `ArrayBuffer`.
        unsafe {
            if sys::napi_get_arraybuffer_info(env, buffer, &mut data, &mut len) != sys::Status::napi_ok
                || sys::napi_create_reference(env, buffer, 1, &mut reference) != sys::Status::napi_ok
            {
                return None;
            }
        }
        Some(Slab { env, reference, len, used: Cell::new(0) })
    }

    /// Whether values of this length are copied into it.
    #[inline(always)]
    pub fn takes(&self, len: usize) -> bool {
        len <= self.len / SHARE
    }

    /// Number of bytes that are left.
    pub fn room(&self) -> usize {
        self.len.saturating_sub(self.used.get())
    }

    /// Bytes that a value takes up, including the padding that aligns the next one.
    pub fn footprint(len: usize) -> usize {
        len.next_multiple_of(ALIGN)
    }

    /// Lets `fill` write the next `len` bytes. Returns their offset; `None` if there is no room or `fill`
    /// returns false. Must be called from a callback of the slab's environment, and `fill` must not run
    /// JavaScript.
    #[inline(always)]
    pub fn place(&self, len: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Option<usize> {
        let at = self.used.get();
        let end = at.checked_add(len)?;
        if end > self.len || !self.takes(len) {
            return None;
        }
        let (mut buffer, mut data, mut there) = (ptr::null_mut(), ptr::null_mut(), 0);
        // SAFETY: plain out-parameters; the reference is strong.
        let status = unsafe {
            sys::napi_get_reference_value(self.env, self.reference, &mut buffer);
            sys::napi_get_arraybuffer_info(self.env, buffer, &mut data, &mut there)
        };
        if status != sys::Status::napi_ok || data.is_null() || end > there {
            return None;
        }
        // SAFETY: within the buffer as it is now. There is no view of these bytes yet, because `used` only
        // grows. No JavaScript, which could transfer the memory away, runs until `fill` returns.
        let to = unsafe { std::slice::from_raw_parts_mut(data.cast::<u8>().add(at), len) };
        if !fill(to) {
            return None;
        }
        self.used.set(Self::footprint(end).min(self.len));
        Some(at)
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: dropped by a finalizer or a method, on the environment's thread.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
