//! Raw Node-API callbacks: functions whose callback data is an `Rc` of the object that they work on.
#![allow(unsafe_code)]

use super::errors::throw;
use super::guard::guarded;
use super::raw::arguments;
use napi::sys;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use warmshard_core::Error;

/// The arguments of a callback; four, unless it states another number. Each one takes time, even if it is not
/// given.
pub type Arguments<const N: usize = 4> = [sys::napi_value; N];

/// The implementation of a callback: takes its data, environment and arguments; returns an answer.
pub type Call<T, R, const N: usize> = fn(&T, sys::napi_env, Arguments<N>) -> Result<R, Error>;

/// What a callback can return: a small integer, a value that it has made, or nothing.
pub trait Answer {
    /// The JavaScript value.
    fn value(self, env: sys::napi_env) -> sys::napi_value;
}

impl Answer for i32 {
    #[inline(always)]
    fn value(self, env: sys::napi_env) -> sys::napi_value {
        let mut value = ptr::null_mut();
        // SAFETY: the environment of the running callback (`run`); plain out-parameter.
        unsafe { sys::napi_create_int32(env, self, &mut value) };
        value
    }
}

/// A value made by a running callback; null for undefined.
pub struct Made(pub sys::napi_value);

impl Answer for Made {
    fn value(self, _: sys::napi_env) -> sys::napi_value {
        self.0
    }
}

/// Nothing: undefined.
impl Answer for () {
    #[inline(always)]
    fn value(self, _: sys::napi_env) -> sys::napi_value {
        ptr::null_mut()
    }
}

/// Defines a table of callbacks: the name of the table, the type of the callbacks' data, and each callback
/// with its JavaScript name. `Table::attach` puts them on an object.
macro_rules! callbacks {
    ($(#[$doc:meta])* $table:ident: $data:ty; $($name:ident $js:literal => $call:expr;)*) => {
        $(
            unsafe extern "C" fn $name(
                env: napi::sys::napi_env,
                info: napi::sys::napi_callback_info,
            ) -> napi::sys::napi_value {
                // SAFETY: called by Node-API with its own environment and arguments; `attach` of a table
                // for this type gave it its data.
                unsafe { $crate::binding::callbacks::run::<$data, _, _>(env, info, $call) }
            }
        )*
        $(#[$doc])*
        pub const $table: $crate::binding::callbacks::Table<$data> =
            $crate::binding::callbacks::Table::new(&[$(($js, Some($name)),)*]);
    };
}
pub(super) use callbacks;

/// Callbacks whose data has the same type.
pub struct Table<T: 'static> {
    callbacks: &'static [(&'static str, sys::napi_callback)],
    data: std::marker::PhantomData<T>,
}

impl<T: 'static> Table<T> {
    /// Only for `callbacks!`, which makes callbacks that expect data of type `T`.
    pub const fn new(callbacks: &'static [(&'static str, sys::napi_callback)]) -> Self {
        Table { callbacks, data: std::marker::PhantomData }
    }

    /// Puts the callbacks on an object. Each one owns an `Rc` of the data.
    pub fn attach(&self, env: sys::napi_env, object: sys::napi_value, shared: &Rc<T>) {
        for (name, callback) in self.callbacks {
            let mut function = ptr::null_mut();
            let len = isize::try_from(name.len()).unwrap_or(0);
            let data = Rc::into_raw(Rc::clone(shared)).cast_mut().cast::<c_void>();
            // SAFETY: the name has this length, and the finalizer drops the `Rc` when the function is collected.
            unsafe {
                let made =
                    sys::napi_create_function(env, name.as_ptr().cast(), len, *callback, data, &mut function);
                if made != sys::Status::napi_ok
                    || sys::napi_add_finalizer(
                        env,
                        function,
                        data,
                        Some(release::<T>),
                        ptr::null_mut(),
                        ptr::null_mut(),
                    ) != sys::Status::napi_ok
                {
                    drop(Rc::from_raw(data.cast::<T>()));
                    continue;
                }
                let mut key = ptr::null_mut();
                sys::napi_create_string_utf8(env, name.as_ptr().cast(), len, &mut key);
                sys::napi_set_property(env, object, key, function);
            }
        }
    }
}

unsafe extern "C" fn release<T>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: made by `attach`; a finalizer is called once.
    drop(unsafe { Rc::from_raw(data.cast::<T>()) });
}

/// Runs a callback. A panic becomes an error instead of unwinding into the host.
///
/// # Safety
/// `env` and `info` are those of the running callback, whose data is an `Rc` of a `T`.
#[inline(always)]
pub unsafe fn run<T, R: Answer, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    call: Call<T, R, N>,
) -> sys::napi_value {
    // SAFETY: `env` and all values are those of the running callback.
    let (args, data) = unsafe { arguments::<N>(env, info) };
    // SAFETY: the caller's promise; the function object owns the `Rc` and is alive while it is called.
    let shared = unsafe { &*data.cast::<T>() };
    match guarded(|| call(shared, env, args)) {
        Ok(answer) => answer.value(env),
        Err(error) => {
            throw(env, &error);
            ptr::null_mut()
        }
    }
}
