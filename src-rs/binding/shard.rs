//! The functions that are defined when the addon is loaded: what a program needs from `open` to its first
//! hit, and `close`.
//!
//! V8 takes longer to define a function than we take to look up a key. So all other functions are in tables,
//! each of which is made when one of its functions is needed (`functionsOf`).
#![allow(unsafe_code)]

use super::errors::{raise, register};
use super::exchange::{Exchange, MADE_WINDOW};
use super::guard::guarded;
use super::handle::Handle;
use super::hot::{FIRST, OTHERS};
use super::lending::lend;
use super::options::OpenOptions;
use super::work::{NativeJob, Work};
use super::{errors, seldom, stores, work};
use napi::bindgen_prelude::{AsyncTask, External, JsObjectValue, JsValue, Object, Unknown};
use napi::{Callback, Env, sys};
use napi_derive::napi;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use warmshard_core::shard::OWN_WINDOW;
use warmshard_core::{Error, Job, Shard};

/// Functions by their JavaScript names.
pub type Functions = &'static [(&'static str, Callback)];

/// Makes the functions of a table; `undefined` if there is no such table.
#[napi]
pub fn functions_of(env: &Env, table: String) -> napi::Result<Option<Object<'_>>> {
    let functions = match table.as_str() {
        "shard" => seldom::FUNCTIONS,
        "work" => work::FUNCTIONS,
        "scripts" => stores::script::FUNCTIONS,
        "artifacts" => stores::artifact::FUNCTIONS,
        "pipeline" => stores::pipeline::FUNCTIONS,
        "errors" => errors::FUNCTIONS,
        "program" => stores::program::FUNCTIONS,
        _ => return Ok(None),
    };
    let mut object = Object::new(env)?;
    for (name, callback) in functions {
        object.create_named_method(name, *callback)?;
    }
    Ok(Some(object))
}

/// Runs at each load, before anything else: takes the class of errors from the exports, where the facade has
/// put it.
#[napi(module_exports)]
pub fn loaded(exports: Object<'_>, env: Env) {
    if let Ok(Some(class)) = exports.get::<Unknown<'_>>("WarmshardError") {
        register(env.raw(), class.raw());
    }
}

/// An open shard.
pub struct NativeShard {
    pub(super) handle: Rc<Handle>,
}

impl NativeShard {
    /// Runs something on the shard.
    pub fn call<T>(&self, env: &Env, run: impl FnOnce(&mut Shard) -> Result<T, Error>) -> napi::Result<T> {
        guarded(|| self.handle.with(run)).map_err(|e| raise(env, &e))
    }

    /// Runs something off the event loop, on another handle.
    pub fn spawn<T, R>(&self, env: &Env, job: &NativeJob, run: R) -> napi::Result<AsyncTask<Work<T>>>
    where
        T: Send + napi::bindgen_prelude::ToNapiValue + napi::bindgen_prelude::TypeName + 'static,
        R: FnOnce(&mut Shard, &Job) -> Result<T, Error> + Send + 'static,
    {
        let opener = self.call(env, |s| Ok(s.opener()))?;
        let job = Arc::clone(&job.job);
        Ok(AsyncTask::new(Work::new(move || run(&mut opener.open(&job)?, &job))))
    }
}

/// Opens a shard and puts its first callbacks and its exchange block on `target`.
#[napi]
pub fn open(
    env: Env,
    path: String,
    options: Option<OpenOptions>,
    target: Object<'_>,
) -> napi::Result<External<NativeShard>> {
    let opened =
        guarded(|| Shard::open(Path::new(&path), options.unwrap_or_else(OpenOptions::none).parse()?));
    let shard = opened.map_err(|e| raise(&env, &e))?;
    let (exchange, buffer) = Exchange::new(env.raw())
        .ok_or_else(|| napi::Error::from_reason("no memory for the exchange block"))?;
    let handle = Rc::new(Handle::new(shard, exchange));
    FIRST.attach(env.raw(), target.raw(), &handle);
    // SAFETY: both are values of the running callback.
    unsafe {
        sys::napi_set_named_property(env.raw(), target.raw(), c"exchange".as_ptr(), buffer);
    }
    Ok(External::new(NativeShard { handle }))
}

/// Puts the other callbacks on `target`.
#[napi]
pub fn attach(shard: &External<NativeShard>, env: Env, target: Object<'_>) {
    OTHERS.attach(env.raw(), target.raw(), &shard.handle);
}

/// Closes the shard.
#[napi]
pub fn close(shard: &External<NativeShard>) {
    // Errors are ignored: what closing cannot finish is left to the next process that opens the file.
    let _ = guarded(|| {
        shard.handle.close();
        Ok(())
    });
}

/// Makes the window that contains a part of the last answer, and writes its number to the exchange block.
/// `undefined` if no window can be made: then the part must be copied.
#[napi]
pub fn window(shard: &External<NativeShard>, env: Env, part: u32) -> napi::Result<Option<Unknown<'_>>> {
    let part = part as usize;
    let Some((offset, len)) = shard.handle.last(part) else {
        return Ok(None);
    };
    let handle = &shard.handle;
    let buffer = shard.call(&env, |shard| {
        let Some(lent) = shard.window_for(offset, len) else {
            return Ok(None);
        };
        let buffer = lend(env.raw(), lent.window);
        // The number of this window is written separately: if the file was truncated from outside, the part
        // may not be in it.
        handle.exchange.set(MADE_WINDOW, lent.id);
        if buffer.is_none() {
            shard.never_lend();
        }
        if lent.id == OWN_WINDOW && buffer.is_some() {
            handle.tell_own(part, offset.saturating_sub(lent.start));
        } else {
            handle.tell(shard, part, offset, len);
        }
        Ok(buffer)
    })?;
    // SAFETY: a value of the running callback.
    Ok(buffer.map(|b| unsafe { Unknown::from_raw_unchecked(env.raw(), b) }))
}
