//! Windows, and words to be looked at, as external `ArrayBuffer`s.
#![allow(unsafe_code)]

use napi::sys;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use warmshard_core::mapping::{SharedWords, Window};

/// Windows that JavaScript has, of all environments of the process.
static LENT: AtomicUsize = AtomicUsize::new(0);

/// How many windows are lent now.
pub fn lent() -> usize {
    LENT.load(Ordering::Relaxed)
}

/// Gives a window to JavaScript. `None` where the runtime forbids memory that is not its own.
///
/// The window lives until the last view of it is collected: the finalizer unmaps it.
pub fn lend(env: sys::napi_env, window: Window) -> Option<sys::napi_value> {
    let len = window.len();
    let data = window.as_mut_ptr().cast::<c_void>();
    let owner = Box::into_raw(Box::new(window)).cast::<c_void>();
    let mut buffer = ptr::null_mut();
    // V8 counts the window as memory that collecting garbage would free, which it is not. To tell it
    // so by a negative adjustment ends the process from V8 13 on (Node.js 24), whose count may not fall
    // below what it takes off by itself later. So windows are small, and their sum is bounded
    // (`MAX_LENT_BYTES`).
    // SAFETY: `data` is valid for `len` bytes until `unmap` runs, which the runtime does once, after the
    // last use. The memory is private to this process and writable.
    let status =
        unsafe { sys::napi_create_external_arraybuffer(env, data, len, Some(unmap), owner, &mut buffer) };
    if status != sys::Status::napi_ok {
        // SAFETY: the runtime has not taken it.
        drop(unsafe { Box::from_raw(owner.cast::<Window>()) });
        return None;
    }
    LENT.fetch_add(1, Ordering::Relaxed);
    Some(buffer)
}

/// Gives the bytes of a window from `from` on to JavaScript, as a `Uint8Array`. `None` as `lend`.
pub fn lend_part(env: sys::napi_env, window: Window, from: usize) -> Option<sys::napi_value> {
    let len = window.len().checked_sub(from)?;
    let buffer = lend(env, window)?;
    let mut view = ptr::null_mut();
    // SAFETY: a buffer of this environment that reaches to `from + len`.
    let status = unsafe {
        let kind = sys::TypedarrayType::uint8_array;
        sys::napi_create_typedarray(env, kind, len, buffer, from, &mut view)
    };
    (status == sys::Status::napi_ok).then_some(view)
}

/// Shows JavaScript the word at byte `from`, as an `Int32Array` of its halves. `None` as `lend`.
///
/// Only the facade may have it, which never writes to it: a store to a read-only page would end the process.
pub fn show_word(env: sys::napi_env, words: SharedWords, from: usize) -> Option<sys::napi_value> {
    let len = words.len();
    words.word(from / 8)?;
    let data = words.as_ptr().cast_mut().cast::<c_void>();
    let owner = Box::into_raw(Box::new(words)).cast::<c_void>();
    let (mut buffer, mut view) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `data` is valid for `len` bytes until `release` runs, which the runtime does once, after the last use. Nobody
    // writes there: the view is kept in private fields, and the facade reads only.
    unsafe {
        if sys::napi_create_external_arraybuffer(env, data, len, Some(release), owner, &mut buffer)
            != sys::Status::napi_ok
        {
            drop(Box::from_raw(owner.cast::<SharedWords>()));
            return None;
        }
        let kind = sys::TypedarrayType::int32_array;
        let made = sys::napi_create_typedarray(env, kind, 2, buffer, from, &mut view);
        (made == sys::Status::napi_ok).then_some(view)
    }
}

unsafe extern "C" fn release(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: made by `show_word`; called once.
    drop(unsafe { Box::from_raw(owner.cast::<SharedWords>()) });
}

unsafe extern "C" fn unmap(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: made by `lend`; called once.
    drop(unsafe { Box::from_raw(owner.cast::<Window>()) });
    LENT.fetch_sub(1, Ordering::Relaxed);
}
