//! Errors of the core as instances of the facade's `WarmshardError`.
//!
//! The facade puts its class on the exports object before the addon fills that (`loaded`). Every error,
//! thrown or rejected, is made with it: `new WarmshardError(code, message, { errno, syscall, path })`. On a
//! runtime that makes the exports object itself (Deno), the facade passes the class to `madeOf`.
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

/// Sets the class of errors.
#[napi(no_export)]
pub fn made_of(env: Env, class: Unknown<'_>) {
    register(env.raw(), class.raw());
}

/// Sets the class of errors for an environment, and replaces an earlier one.
pub fn register(env: sys::napi_env, class: sys::napi_value) {
    let mut reference = ptr::null_mut();
    // SAFETY: both are those of the running callback.
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
            // A test runner that clears its module cache loads the facade again in the same environment. The hook
            // must not be added again, because Node.js aborts if one is added twice.
            Some(old) => sys::napi_delete_reference(env, old),
            None => sys::napi_add_env_cleanup_hook(env, Some(forget), env.cast()),
        };
    }
}

unsafe extern "C" fn forget(env: *mut std::ffi::c_void) {
    // At process exit the thread-local storage may be destroyed already.
    let _ = CLASSES.try_with(|classes| {
        if let Ok(mut classes) = classes.try_borrow_mut() {
            classes.retain(|(other, _)| other.cast() != env);
        }
    });
}

fn string(env: sys::napi_env, text: &str) -> sys::napi_value {
    let mut value = ptr::null_mut();
    let len = isize::try_from(text.len()).unwrap_or(0);
    // SAFETY: `text` has this length.
    unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), len, &mut value) };
    value
}

/// The JavaScript error for an error of the core.
fn make(env: sys::napi_env, error: &Error) -> Option<sys::napi_value> {
    let reference =
        CLASSES.with_borrow(|classes| classes.iter().find(|(e, _)| *e == env).map(|(_, r)| *r))?;
    let mut undefined = ptr::null_mut();
    let (mut class, mut instance) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is that of the running callback, and the reference was made in it.
    unsafe {
        sys::napi_get_undefined(env, &mut undefined);
        sys::napi_get_reference_value(env, reference, &mut class);
        let (mut errno, mut syscall, mut path) = (undefined, undefined, undefined);
        if let Some((call, number, _)) = error.system() {
            syscall = string(env, call);
            if let Some(number) = number {
                // Negative, as in Node.js.
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

/// Throws the error from the running callback.
#[cold]
pub fn throw(env: sys::napi_env, error: &Error) {
    match make(env, error) {
        // SAFETY: both are those of the running callback.
        Some(instance) => unsafe {
            sys::napi_throw(env, instance);
        },
        None => napi::JsError::from(plain(error)).throw(env),
    }
}

/// The error for a generated function to return, or for a promise to be rejected with.
#[cold]
pub fn raise(env: &Env, error: &Error) -> napi::Error {
    match make(env.raw(), error) {
        // SAFETY: a value of this environment, made just now.
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
