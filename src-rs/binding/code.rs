//! Passes bytecode from `load` to `src-cpp/compile.cc`, and from there to `record`, without making a
//! JavaScript object of it.
//!
//! The side that has the bytecode stores it here and gives its number to JavaScript, which passes the number
//! to the other side, on the same thread. Only the last bytecode is stored, under its own number only, so
//! that no script can get another one's.
#![allow(unsafe_code)]

use super::guard::guarded_or;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use warmshard_core::stores::program::Bytes;

thread_local! {
    /// The number that was given last, and its bytes until they are picked up.
    static LAST: RefCell<(u32, Option<Bytes>)> = const { RefCell::new((0, None)) };
}

/// Stores bytes, and returns their number. It is never zero.
pub fn put_down(bytes: Bytes) -> u32 {
    LAST.with_borrow_mut(|(number, last)| {
        *number = number.wrapping_add(1).max(1);
        *last = Some(bytes);
        *number
    })
}

/// Takes out the bytes with this number, if they are still stored.
pub fn pick_up(number: u32) -> Option<Bytes> {
    LAST.with_borrow_mut(|(given, last)| if *given == number { last.take() } else { None })
}

/// Takes out the bytes with this number: writes their address and length, and returns their owner, which the
/// caller must release. Null if there are none.
///
/// # Safety
/// `data` and `length` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_code_take_1(
    number: u32,
    data: *mut *const u8,
    length: *mut usize,
) -> *mut c_void {
    guarded_or(ptr::null_mut(), || {
        let Some(bytes) = pick_up(number) else { return ptr::null_mut() };
        // The bytes are in the mapping or on the heap, so they do not move when their owner does.
        let owner = Box::new(bytes);
        let slice = owner.as_slice();
        // SAFETY: the caller's promise.
        unsafe {
            *data = slice.as_ptr();
            *length = slice.len();
        }
        Box::into_raw(owner).cast()
    })
}

/// Stores a copy of some bytecode. Returns its number, or 0 if it is empty.
///
/// # Safety
/// `data` is null or valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_code_give_1(data: *const u8, length: usize) -> u32 {
    guarded_or(0, || {
        if data.is_null() || length == 0 {
            return 0;
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { std::slice::from_raw_parts(data, length) };
        put_down(Bytes::Copied(bytes.to_vec()))
    })
}

/// Releases the owner of some bytes.
///
/// # Safety
/// `owner` comes from `warmshard_code_take_1`, is released once, and its bytes are no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_code_release_1(owner: *mut c_void) {
    // SAFETY: the caller's promise; `warmshard_code_take_1` has given up the ownership.
    guarded_or((), || drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) }));
}
