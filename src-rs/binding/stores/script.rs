//! The script cache: its policy, working on a shard that JavaScript has opened.
#![allow(unsafe_code)]

use crate::binding::callbacks::{Arguments, callbacks};
use crate::binding::errors::raise;
use crate::binding::exchange::parse_meta;
use crate::binding::guard::guarded;
use crate::binding::handle::Handle;
use crate::binding::hot::{CORRUPT, MISS, Parts, STALE, all_parts};
use crate::binding::raw::{KeyBuffer, SourceBuffer};
use crate::binding::shard::{Functions, NativeShard};
use napi::bindgen_prelude::{External, JsValue, Object};
use napi::{Env, sys};
use napi_derive::napi;
use std::cell::RefCell;
use std::rc::Rc;
use warmshard_core::stores::script::{Scripts, Validate};
use warmshard_core::{Error, Lookup, Shard};

/// The table `scripts`.
pub const FUNCTIONS: Functions = &[("of", of_c_callback), ("tally", tally_c_callback)];

/// The policy and the shard that it works on.
pub struct ScriptHandle {
    handle: Rc<Handle>,
    scripts: RefCell<Scripts>,
}

impl ScriptHandle {
    #[inline(always)]
    fn with<T>(&self, run: impl FnOnce(&mut Scripts, &mut Shard) -> Result<T, Error>) -> Result<T, Error> {
        self.handle.with(|shard| {
            let Ok(mut scripts) = self.scripts.try_borrow_mut() else {
                return Err(Error::InvalidArg(
                    "the cache is in the middle of another call; use it when that has returned".into(),
                ));
            };
            run(&mut scripts, shard)
        })
    }
}

callbacks! {
    /// Every callback, by its JavaScript name.
    CALLBACKS: ScriptHandle;
    load "load" => load_source;
    save "save" => save_source;
    put_source "putSource" => put_path;
}

#[inline(always)]
fn load_source(it: &ScriptHandle, env: sys::napi_env, [source, ..]: Arguments) -> Result<i32, Error> {
    let mut buffer = SourceBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let source = unsafe { buffer.read(env, source)? };
    it.with(|scripts, shard| {
        Ok(match scripts.load(shard, source.unwrap_or_default())? {
            Lookup::Hit(hit) => all_parts(&it.handle, shard, &hit),
            Lookup::Miss => MISS,
            Lookup::Stale => STALE,
            Lookup::Corrupt => CORRUPT,
        })
    })
}

fn save_source(it: &ScriptHandle, env: sys::napi_env, [source, parts, ..]: Arguments) -> Result<i32, Error> {
    let mut buffer = SourceBuffer::new();
    // SAFETY: `env` and all values are those of the running callback; no JavaScript runs until it returns.
    let (source, parts) = unsafe { (buffer.read(env, source)?, Parts::read(env, parts)?) };
    let expires_ms = parse_meta(it.handle.exchange.meta())?.expires_ms;
    let saved = |scripts: &mut Scripts, shard: &mut Shard| {
        scripts.save(shard, source.unwrap_or_default(), parts.as_slice(), expires_ms)
    };
    it.with(saved).map(i32::from)
}

fn put_path(it: &ScriptHandle, env: sys::napi_env, [path, parts, ..]: Arguments) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback; no JavaScript runs until it returns.
    let (path, parts) = unsafe { (buffer.read(env, path)?, Parts::read(env, parts)?) };
    let meta = parse_meta(it.handle.exchange.meta())?;
    it.with(|scripts, shard| scripts.put(shard, path, parts.as_slice(), meta)).map(i32::from)
}

/// A script cache.
pub struct NativeScripts {
    shared: Rc<ScriptHandle>,
}

/// What a script cache has done.
#[napi(object)]
pub struct NativeScriptTally {
    pub saves: f64,
    pub skipped_saves: f64,
    pub changed_sources: f64,
    pub lock_timeouts: f64,
    pub last_skip: Option<String>,
}

/// Makes a script cache over a shard, and puts its callbacks on `target`.
#[napi(no_export)]
pub fn of(
    env: Env,
    shard: &External<NativeShard>,
    by_content: bool,
    target: Object<'_>,
) -> External<NativeScripts> {
    let validate = if by_content { Validate::Content } else { Validate::Mtime };
    let scripts = RefCell::new(Scripts::new(validate));
    let shared = Rc::new(ScriptHandle { handle: Rc::clone(&shard.handle), scripts });
    CALLBACKS.attach(env.raw(), target.raw(), &shared);
    External::new(NativeScripts { shared })
}

/// See the facade.
#[napi(no_export)]
pub fn tally(scripts: &External<NativeScripts>, env: Env) -> napi::Result<NativeScriptTally> {
    let tally = guarded(|| scripts.shared.with(|scripts, _| Ok(scripts.tally().clone())));
    let tally = tally.map_err(|e| raise(&env, &e))?;
    Ok(NativeScriptTally {
        saves: tally.saves as f64,
        skipped_saves: tally.skipped as f64,
        changed_sources: tally.changed as f64,
        lock_timeouts: tally.locked as f64,
        last_skip: tally.last_skip,
    })
}
