//! Errors of the core as instances of the facade's `WarmshardError`.
//!
//! The facade puts its class on the exports before they are filled (`loaded`); every error, thrown or rejected, is made
//! with it: `new WarmshardError(code, message, { errno, syscall, path })`. A runtime that makes the exports itself (Deno) leaves
//! it out; there it is handed in by a call.
#![allow(unsafe_code)]

use super::shard::Functions;
use napi::bindgen_prelude::{FromNapiValue, JsValue, Unknown};
use napi::{Env, sys};
use napi_derive::napi;
use std::cell::RefCell;
use std::ptr;
use warmshard_core::Error;

thread_local! {
    /// The class of each environment of this thread.
    static CLASSES: RefCell<Vec<(sys::napi_env, sys::napi_ref)>> = const { RefCell::new(Vec::new()) };
}

/// The table `errors`.
pub const FUNCTIONS: Functions = &[("madeOf", made_of_c_callback)];

/// Takes the class in that errors are made of.
#[napi(no_export)]
pub fn made_of(env: Env, class: Unknown<'_>) {
    register(env.raw(), class.raw());
}

/// Takes the class in, in place of an earlier one.
pub fn register(env: sys::napi_env, class: sys::napi_value) {
    let mut reference = ptr::null_mut();
    // SAFETY: both are of the running callback.
    if unsafe { sys::napi_create_reference(env, class, 1, &mut reference) } != sys::Status::napi_ok {
        return;
    }
    let old = CLASSES.with_borrow_mut(|classes| {
        let old = classes.iter().position(|(other, _)| *other == env);
        let old = old.map(|at| classes.swap_remove(at).1);
        classes.push((env, reference));
        old
    });
    // SAFETY: the old reference was made above, in this environment; the hook runs on this thread before
    // the environment ends.
    unsafe {
        match old {
            // A test runner that clears its module cache loads the facade again into one environment, and
            // Node.js ends the process that adds the same hook twice.
            Some(old) => sys::napi_delete_reference(env, old),
            None => sys::napi_add_env_cleanup_hook(env, Some(forget), env.cast()),
        };
    }
}

unsafe extern "C" fn forget(env: *mut std::ffi::c_void) {
    // At process exit the thread's storage may be gone already.
    let _ = CLASSES.try_with(|classes| {
        if let Ok(mut classes) = classes.try_borrow_mut() {
            classes.retain(|(other, _)| other.cast() != env);
        }
    });
}

fn string(env: sys::napi_env, text: &str) -> sys::napi_value {
    let mut value = ptr::null_mut();
    let len = isize::try_from(text.len()).unwrap_or(0);
    // SAFETY: `text` is that long.
    unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), len, &mut value) };
    value
}

/// The JavaScript error for an error of the core.
fn make(env: sys::napi_env, error: &Error) -> Option<sys::napi_value> {
    let reference =
        CLASSES.with_borrow(|classes| classes.iter().find(|(e, _)| *e == env).map(|(_, r)| *r))?;
    let mut undefined = ptr::null_mut();
    let (mut class, mut instance) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is that of the running callback, and the reference belongs to it.
    unsafe {
        sys::napi_get_undefined(env, &mut undefined);
        sys::napi_get_reference_value(env, reference, &mut class);
        let (mut errno, mut syscall, mut path) = (undefined, undefined, undefined);
        if let Some((call, number, _)) = error.system() {
            syscall = string(env, call);
            if let Some(number) = number {
                // As Node.js does: the negative error number.
                sys::napi_create_int32(env, number.saturating_neg(), &mut errno);
            }
        }
        if let Some(p) = error.path() {
            path = string(env, &p.to_string_lossy());
        }
        let args =
            [string(env, error.code().as_str()), string(env, &error.to_string()), errno, syscall, path];
        let status = sys::napi_new_instance(env, class, args.len(), args.as_ptr(), &mut instance);
        (status == sys::Status::napi_ok).then_some(instance)
    }
}

/// Leaves the error pending in the running callback.
#[cold]
pub fn throw(env: sys::napi_env, error: &Error) {
    match make(env, error) {
        // SAFETY: both are of the running callback.
        Some(instance) => unsafe {
            sys::napi_throw(env, instance);
        },
        None => napi::JsError::from(plain(error)).throw(env),
    }
}

/// The error for a generated function, or for a promise to reject with.
#[cold]
pub fn raise(env: &Env, error: &Error) -> napi::Error {
    match make(env.raw(), error) {
        // SAFETY: a value of this environment, made a moment ago.
        Some(instance) => match unsafe { Unknown::from_napi_value(env.raw(), instance) } {
            Ok(unknown) => napi::Error::from(unknown),
            Err(_) => plain(error),
        },
        None => plain(error),
    }
}

fn plain(error: &Error) -> napi::Error {
    napi::Error::from_reason(format!("{}: {error}", error.code().as_str()))
}

trait Throw {
    fn throw(self, env: sys::napi_env);
}

impl Throw for napi::JsError {
    fn throw(self, env: sys::napi_env) {
        // SAFETY: `env` is that of the running callback.
        unsafe { self.throw_into(env) };
    }
}
