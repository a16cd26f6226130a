//! Tells V8 that a program is being loaded.
//!
//! V8 then delays marking the heap, because hardly anything is garbage while a program starts. It does so for
//! at most seven seconds, and only until the heap is larger than otherwise allowed by half or by 32 MiB; the
//! heap limit still holds (`Heap::ShouldOptimizeForLoadTime`). A small heap may reach that limit for it, so the
//! caller does not ask for this there.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

/// `v8::Isolate::GetCurrent()`.
const CURRENT: &CStr = c"_ZN2v87Isolate10GetCurrentEv";
type Current = unsafe extern "C" fn() -> *mut c_void;

/// `v8::Isolate::SetIsLoading(bool)`; in Node.js 24 and later.
const SET_LOADING: &CStr = c"_ZN2v87Isolate12SetIsLoadingEb";
type SetLoading = unsafe extern "C" fn(*mut c_void, bool);

/// Both functions, if the runtime exports them. They are not part of Node-API, so they are looked up at run time.
fn calls() -> Option<(Current, SetLoading)> {
    static CALLS: OnceLock<Option<(Current, SetLoading)>> = OnceLock::new();
    let find = |name: &CStr| {
        // SAFETY: a constant name.
        let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!symbol.is_null()).then_some(symbol)
    };
    *CALLS.get_or_init(|| {
        let (current, set) = (find(CURRENT)?, find(SET_LOADING)?);
        // SAFETY: the mangled names determine the parameters, and V8 has no other functions with these names.
        unsafe {
            Some((
                std::mem::transmute::<*mut c_void, Current>(current),
                std::mem::transmute::<*mut c_void, SetLoading>(set),
            ))
        }
    })
}

/// Tells V8, from a running callback. Does nothing if the runtime does not export the functions.
pub fn begins() {
    let Some((current, set)) = calls() else { return };
    // SAFETY: this thread is running JavaScript, so it may call the isolate that it has entered.
    unsafe {
        let isolate = current();
        if !isolate.is_null() {
            set(isolate, true);
        }
    }
}
