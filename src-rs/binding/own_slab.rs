//! Memory for copies that the fast door makes: as `slab.rs`, but held so that its address stays good.
//!
//! The fast door may not ask for the address of JavaScript's memory, and whoever has a view of a slab can take its
//! memory away (`ArrayBuffer.prototype.transfer`). So the shim hands over a share in the memory itself, not in the
//! `ArrayBuffer`: V8 frees it when nobody has a share any more, whatever became of the `ArrayBuffer`.
#![allow(unsafe_code)]

use super::slab::{SHARE, Slab};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::NonNull;

/// Gives a share back.
pub type Release = unsafe extern "C" fn(*mut c_void);

/// See the module's head.
pub struct OwnSlab {
    data: NonNull<u8>,
    len: usize,
    share: *mut c_void,
    release: Release,
    /// Nothing below is ever written again.
    used: Cell<usize>,
}

impl OwnSlab {
    /// Takes over a share in memory of which JavaScript has no view yet.
    ///
    /// # Safety
    /// `data` is good for `len` bytes until `share` is given back, which `release` may be called for on this thread.
    pub unsafe fn new(data: NonNull<u8>, len: usize, share: *mut c_void, release: Release) -> Self {
        OwnSlab { data, len, share, release, used: Cell::new(0) }
    }

    /// Has the next `len` bytes filled. Returns where they begin; `None` where there is no room or `fill` gives up.
    #[inline(always)]
    pub fn place(&self, len: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Option<usize> {
        let at = self.used.get();
        let end = at.checked_add(len)?;
        if end > self.len || len > self.len / SHARE {
            return None;
        }
        // SAFETY: within the memory, which our share keeps. Nobody has been told of these bytes: `used` only grows,
        // and the facade makes views of what it was told of.
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
        // SAFETY: the promise of `new`; once.
        unsafe { (self.release)(self.share) };
    }
}
