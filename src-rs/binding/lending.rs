//! Windows as external `ArrayBuffer`s.
#![allow(unsafe_code)]

use napi::sys;
use std::ffi::c_void;
use std::ptr;
use warmshard_core::mapping::Window;

/// Gives a window to JavaScript. `None` where the runtime forbids memory that is not its own.
///
/// The window lives until the last view of it is collected: the finalizer unmaps it.
pub fn lend(env: sys::napi_env, window: Window) -> Option<sys::napi_value> {
    let len = window.len();
    let data = window.as_mut_ptr().cast::<c_void>();
    let owner = Box::into_raw(Box::new(window)).cast::<c_void>();
    let mut buffer = ptr::null_mut();
    // Mapped file pages are not memory that collecting garbage would free. Said first: V8 would
    // otherwise start to collect the moment it hears of the buffer. Not all of it is taken off: windows
    // of files that have been replaced hold their disk space until they are collected.
    adjust(env, len, true);
    // SAFETY: `data` is valid for `len` bytes until `unmap` runs, which the runtime does once, after the
    // last use. The memory is private to this process and writable.
    let status =
        unsafe { sys::napi_create_external_arraybuffer(env, data, len, Some(unmap), owner, &mut buffer) };
    if status != sys::Status::napi_ok {
        adjust(env, len, false);
        // SAFETY: the runtime has not taken it.
        drop(unsafe { Box::from_raw(owner.cast::<Window>()) });
        return None;
    }
    Some(buffer)
}

unsafe extern "C" fn unmap(env: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: made by `lend`; called once.
    let window = unsafe { Box::from_raw(owner.cast::<Window>()) };
    adjust(env, window.len(), false);
}

/// What a window weighs to V8: a sixteenth of its length.
fn adjust(env: sys::napi_env, len: usize, taken: bool) {
    let len = i64::try_from(len.saturating_sub(len / 16)).unwrap_or(0);
    let mut total = 0;
    // SAFETY: plain numbers; allowed in finalizers.
    unsafe {
        sys::napi_adjust_external_memory(env, if taken { len.saturating_neg() } else { len }, &mut total)
    };
}
