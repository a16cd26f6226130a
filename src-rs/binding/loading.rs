//! Telling V8 that a program is being loaded.
//!
//! V8 then puts off marking the heap: while a program starts hardly anything of it is garbage. It does so for seven
//! seconds at the most, and only until the heap is half as large again as it would have let it become, or 32 MiB larger;
//! the limit of the heap holds as ever (`Heap::ShouldOptimizeForLoadTime`).
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

/// `v8::Isolate::GetCurrent()`.
const CURRENT: &CStr = c"_ZN2v87Isolate10GetCurrentEv";
type Current = unsafe extern "C" fn() -> *mut c_void;

/// `v8::Isolate::SetIsLoading(bool)`, which Node.js 24 and later have.
const SET_LOADING: &CStr = c"_ZN2v87Isolate12SetIsLoadingEb";
type SetLoading = unsafe extern "C" fn(*mut c_void, bool);

/// What the runtime exports. None of it is part of Node-API, so nothing may be linked to it.
fn calls() -> Option<(Current, SetLoading)> {
    static CALLS: OnceLock<Option<(Current, SetLoading)>> = OnceLock::new();
    let find = |name: &CStr| {
        // SAFETY: a constant name.
        let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!symbol.is_null()).then_some(symbol)
    };
    *CALLS.get_or_init(|| {
        let (current, set) = (find(CURRENT)?, find(SET_LOADING)?);
        // SAFETY: the mangled names tell the parameters, and V8 has no other functions of these names.
        unsafe {
            Some((
                std::mem::transmute::<*mut c_void, Current>(current),
                std::mem::transmute::<*mut c_void, SetLoading>(set),
            ))
        }
    })
}

/// Tells V8; called by a running callback. Where the runtime has no such calls nothing happens.
pub fn begins() {
    let Some((current, set)) = calls() else { return };
    // SAFETY: this thread runs JavaScript, so it is the one that may talk to the isolate that it is in.
    unsafe {
        let isolate = current();
        if !isolate.is_null() {
            set(isolate, true);
        }
    }
}
