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

/// A window that counts as lent.
struct Lent {
    _window: Window,
}

impl Lent {
    fn new(window: Window) -> Self {
        LENT.fetch_add(1, Ordering::Relaxed);
        Lent { _window: window }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        LENT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes an `ArrayBuffer` of memory that is not the runtime's. Gives the owner back where that is forbidden.
///
/// # Safety
/// `data` is good for `len` bytes as long as `owner` lives, wherever that is moved, and JavaScript does nothing there that the
/// memory does not allow.
pub(super) unsafe fn external_memory<T>(
    env: sys::napi_env,
    data: *mut c_void,
    len: usize,
    owner: T,
) -> Result<sys::napi_value, T> {
    let owner = Box::into_raw(Box::new(owner)).cast::<c_void>();
    let mut buffer = ptr::null_mut();
    // SAFETY: told by the caller; the runtime calls `release` once, after the last use.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(env, data, len, Some(release::<T>), owner, &mut buffer)
    };
    if status == sys::Status::napi_ok {
        return Ok(buffer);
    }
    // SAFETY: the runtime has not taken it.
    Err(*unsafe { Box::from_raw(owner.cast::<T>()) })
}

/// Drops an owner whose memory nobody uses any more.
pub(super) unsafe extern "C" fn release<T>(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: a box of this type that was handed to the runtime, which calls this once.
    drop(unsafe { Box::from_raw(owner.cast::<T>()) });
}

/// Gives a window to JavaScript. `None` where the runtime forbids memory that is not its own.
///
/// The window lives until the last view of it is collected: the finalizer unmaps it.
pub fn lend(env: sys::napi_env, window: Window) -> Option<sys::napi_value> {
    let len = window.len();
    let data = window.as_mut_ptr().cast::<c_void>();
    // V8 counts the window as memory that collecting garbage would free, which it is not. To tell it
    // so by a negative adjustment ends the process from V8 13 on (Node.js 24), whose count may not fall
    // below what it takes off by itself later. So windows are small, and their sum is bounded
    // (`MAX_LENT_BYTES`).
    // SAFETY: the memory is the window's, private to this process and writable.
    unsafe { external_memory(env, data, len, Lent::new(window)) }.ok()
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
    // SAFETY: the memory is that of `words`. Nobody writes there: the view is kept in private fields, and the facade reads only.
    let buffer = unsafe { external_memory(env, data, len, words) }.ok()?;
    let mut view = ptr::null_mut();
    // SAFETY: a buffer of this environment that reaches beyond the word.
    let status = unsafe {
        sys::napi_create_typedarray(env, sys::TypedarrayType::int32_array, 2, buffer, from, &mut view)
    };
    (status == sys::Status::napi_ok).then_some(view)
}
