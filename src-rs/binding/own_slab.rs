//! Memory for copies that the fast door makes: like `slab.rs`, but its address stays valid.
//!
//! The fast door must not ask V8 for the address of JavaScript's memory, and a program that has a view of a
//! slab can transfer its memory away (`ArrayBuffer.prototype.transfer`). So the shim passes a share in the
//! memory itself (`v8::BackingStore`), not in the `ArrayBuffer`. V8 frees the memory when the last share is
//! released, whatever happens to the `ArrayBuffer`.
#![allow(unsafe_code)]

use super::slab::{SHARE, Slab};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::NonNull;

/// Releases a share.
pub type Release = unsafe extern "C" fn(*mut c_void);

/// See the module's head.
pub struct OwnSlab {
    data: NonNull<u8>,
    len: usize,
    share: *mut c_void,
    release: Release,
    /// Bytes before this offset are never written again.
    used: Cell<usize>,
}

impl OwnSlab {
    /// Takes over a share in memory of which JavaScript has no view yet.
    ///
    /// # Safety
    /// `data` is valid for `len` bytes until `share` is released, and `release` can be called with it on this
    /// thread.
    pub unsafe fn new(data: NonNull<u8>, len: usize, share: *mut c_void, release: Release) -> Self {
        OwnSlab { data, len, share, release, used: Cell::new(0) }
    }

    /// Lets `fill` write the next `len` bytes. Returns their offset; `None` if there is no room or `fill`
    /// returns false.
    #[inline(always)]
    pub fn place(&self, len: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Option<usize> {
        let at = self.used.get();
        let end = at.checked_add(len)?;
        if end > self.len || len > self.len / SHARE {
            return None;
        }
        // SAFETY: within the memory, which our share keeps alive. The facade makes views only of bytes before
        // `used`, which only grows, so there is no view of these bytes yet.
        let to = unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr().add(at), len) };
        if !fill(to) {
            return None;
        }
        self.used.set(Slab::footprint(end).min(self.len));
        Some(at)
    }
}

impl Drop for OwnSlab {
    fn drop(&mut self) {
        // SAFETY: allowed by the contract of `new`; called once.
        unsafe { (self.release)(self.share) };
    }
}
