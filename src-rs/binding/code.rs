//! The entries of the compiler: bytecode on its way from `load` to `src-cpp/compile.cc`, and from there to `record`, without an
//! object of JavaScript around it.
//!
//! Whoever has it puts it down and gives a number to JavaScript, which hands that on, on the same thread. Only the last
//! one lies here: a number that is not its own finds nothing, so no script can get another one's bytecode.
#![allow(unsafe_code)]

use super::guard::guarded_or;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use warmshard_core::stores::program::Bytes;

thread_local! {
    /// The number that was given last, and the bytes that it means.
    static LAST: RefCell<(u32, Option<Bytes>)> = const { RefCell::new((0, None)) };
}

/// Puts bytes down. The number is never zero.
pub fn put_down(bytes: Bytes) -> u32 {
    LAST.with_borrow_mut(|(number, last)| {
        *number = number.wrapping_add(1).max(1);
        *last = Some(bytes);
        *number
    })
}

/// The bytes that a number means, once.
pub fn pick_up(number: u32) -> Option<Bytes> {
    LAST.with_borrow_mut(|(given, last)| if *given == number { last.take() } else { None })
}

/// Gives where the bytes lie and their owner, to be given back; null where the number means none.
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
        // What is pinned or in a buffer of its own does not move with its owner.
        let owner = Box::new(bytes);
        let slice = owner.as_slice();
        // SAFETY: told by the caller.
        unsafe {
            *data = slice.as_ptr();
            *length = slice.len();
        }
        Box::into_raw(owner).cast()
    })
}

/// Puts down a copy of some bytecode. Gives its number; 0 where there is none.
///
/// # Safety
/// There are that many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_code_give_1(data: *const u8, length: usize) -> u32 {
    guarded_or(0, || {
        if data.is_null() || length == 0 {
            return 0;
        }
        // SAFETY: told by the caller.
        let bytes = unsafe { std::slice::from_raw_parts(data, length) };
        put_down(Bytes::Copied(bytes.to_vec()))
    })
}

/// Takes an owner back.
///
/// # Safety
/// `owner` is what `warmshard_code_take_1` gave, and its bytes are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_code_release_1(owner: *mut c_void) {
    // SAFETY: made by `warmshard_code_take_1`, which gave it away.
    guarded_or((), || drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) }));
}
