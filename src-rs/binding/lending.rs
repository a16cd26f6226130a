//! Windows of a shard, and the generation on its page, as external `ArrayBuffer`s.
#![allow(unsafe_code)]

use napi::sys;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use warmshard_core::mapping::{SharedWords, Window};

/// Number of windows that JavaScript has, in all environments of the process.
static LENT: AtomicUsize = AtomicUsize::new(0);

/// How many windows are lent now, in all environments of the process.
pub fn lent() -> usize {
    LENT.load(Ordering::Relaxed)
}

/// A window that is counted as lent until it is dropped.
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

/// Makes an `ArrayBuffer` over memory that does not belong to the runtime. Returns the owner if that is
/// forbidden.
///
/// # Safety
/// `data` is valid for `len` bytes as long as `owner` lives, even if that is moved. JavaScript writes there
/// only if the memory is writable.
pub(super) unsafe fn external_memory<T>(
    env: sys::napi_env,
    data: *mut c_void,
    len: usize,
    owner: T,
) -> Result<sys::napi_value, T> {
    let owner = Box::into_raw(Box::new(owner)).cast::<c_void>();
    let mut buffer = ptr::null_mut();
    // SAFETY: the caller's promise; the runtime calls `release` once, after the last use.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(env, data, len, Some(release::<T>), owner, &mut buffer)
    };
    if status == sys::Status::napi_ok {
        return Ok(buffer);
    }
    // SAFETY: the runtime has not taken the owner.
    Err(*unsafe { Box::from_raw(owner.cast::<T>()) })
}

/// Drops the owner of memory that is no longer used.
pub(super) unsafe extern "C" fn release<T>(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: a box of this type that was given to the runtime, which calls this once.
    drop(unsafe { Box::from_raw(owner.cast::<T>()) });
}

/// Gives a window to JavaScript. `None` if the runtime forbids external memory.
///
/// The window lives until the last view of it is collected; then the finalizer unmaps it.
pub fn lend(env: sys::napi_env, window: Window) -> Option<sys::napi_value> {
    let len = window.len();
    let data = window.as_mut_ptr().cast::<c_void>();
    // V8 counts the window as memory that a garbage collection would free, which is wrong. A negative
    // adjustment cannot correct this: since V8 13 (Node.js 24) the process is aborted if the count falls
    // below what V8 itself subtracts later. So windows are small, and their sum is bounded
    // (`MAX_LENT_BYTES`).
    // SAFETY: the memory belongs to the window, is private to this process and writable.
    unsafe { external_memory(env, data, len, Lent::new(window)) }.ok()
}

/// Gives the bytes of a window from `from` on to JavaScript, as a `Uint8Array`. `None` as for `lend`.
pub fn lend_part(env: sys::napi_env, window: Window, from: usize) -> Option<sys::napi_value> {
    let len = window.len().checked_sub(from)?;
    let buffer = lend(env, window)?;
    let mut view = ptr::null_mut();
    // SAFETY: a buffer of this environment with `from + len` bytes.
    let status = unsafe {
        let kind = sys::TypedarrayType::uint8_array;
        sys::napi_create_typedarray(env, kind, len, buffer, from, &mut view)
    };
    (status == sys::Status::napi_ok).then_some(view)
}

/// Shows JavaScript the word at byte `from`, as an `Int32Array` of its two halves. `None` as for `lend`.
///
/// Only for the facade, which never writes to it: a write to the read-only page would end the process.
pub fn show_word(env: sys::napi_env, words: SharedWords, from: usize) -> Option<sys::napi_value> {
    let len = words.len();
    words.word(from / 8)?;
    let data = words.as_ptr().cast_mut().cast::<c_void>();
    // SAFETY: the memory belongs to `words`. JavaScript never writes there: the facade only reads, and keeps
    // the view in private fields.
    let buffer = unsafe { external_memory(env, data, len, words) }.ok()?;
    let mut view = ptr::null_mut();
    // SAFETY: a buffer of this environment that contains the word.
    let status = unsafe {
        sys::napi_create_typedarray(env, sys::TypedarrayType::int32_array, 2, buffer, from, &mut view)
    };
    (status == sys::Status::napi_ok).then_some(view)
}
