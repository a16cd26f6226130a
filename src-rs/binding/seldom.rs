//! Functions of a shard that are called rarely: the table `shard`, made when a program first needs one of them.
#![allow(unsafe_code)]

use super::entries::{Entries, take_run};
use super::errors::raise;
use super::exchange::parse_meta;
use super::guard::guarded;
use super::lending::show_word;
use super::raw::KeyBuffer;
use super::reports::{
    NativeCompactReport, NativeDurability, NativeEntryInfo, NativeStats, NativeVerifyReport,
};
use super::shard::{Functions, NativeShard};
use super::work::{NativeJob, Work};
use napi::Env;
use napi::bindgen_prelude::{AsyncTask, External, JsValue, Object, Unknown};
use napi_derive::napi;
use std::cell::RefCell;
use warmshard_core::shard::{Batch, Cursor};
use warmshard_core::sidecar::GENERATION_AT;
use warmshard_core::{Job, PutMeta, Shard};

/// The table `shard`.
pub const FUNCTIONS: Functions = &[
    ("version", version_c_callback),
    ("neverLend", never_lend_c_callback),
    ("check", check_c_callback),
    ("fastNumber", fast_number_c_callback),
    ("size", size_c_callback),
    ("generation", generation_c_callback),
    ("page", page_c_callback),
    ("pageNumber", page_number_c_callback),
    ("info", info_c_callback),
    ("list", list_c_callback),
    ("cursor", cursor_c_callback),
    ("remove", remove_c_callback),
    ("clear", clear_c_callback),
    ("removeFile", remove_file_c_callback),
    ("totals", totals_c_callback),
    ("writeMany", write_many_c_callback),
    ("writeManyAsync", write_many_async_c_callback),
    ("takeRun", take_run),
    ("evictStale", evict_stale_c_callback),
    ("evictStaleAsync", evict_stale_async_c_callback),
    ("compact", compact_c_callback),
    ("compactAsync", compact_async_c_callback),
    ("verify", verify_c_callback),
    ("verifyAsync", verify_async_c_callback),
    ("flush", flush_c_callback),
    ("flushAsync", flush_async_c_callback),
    ("durability", durability_c_callback),
    ("stats", stats_c_callback),
    ("nextKeys", next_keys_c_callback),
];

/// Entries of a batch, copied for work on another thread.
struct Owned {
    key: Vec<u8>,
    parts: Vec<Vec<u8>>,
    meta: Option<Vec<u8>>,
}

/// The version of the package that this binary was built from.
#[napi(no_export)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// From now on values are copied, never lent.
#[napi(no_export)]
pub fn never_lend(shard: &External<NativeShard>, env: Env) -> napi::Result<()> {
    shard.call(&env, |s| {
        s.never_lend();
        Ok(())
    })
}

/// Checks whether the files were deleted or replaced.
#[napi(no_export)]
pub fn check(shard: &External<NativeShard>, env: Env) -> napi::Result<()> {
    shard.call(&env, |s| {
        s.check_identity();
        Ok(())
    })
}

/// The number of this shard at the fast door; zero if it has none.
#[napi(no_export)]
pub fn fast_number(shard: &External<NativeShard>) -> u32 {
    shard.handle.number()
}

/// The number of live entries.
#[napi(no_export)]
pub fn size(shard: &External<NativeShard>, env: Env) -> napi::Result<f64> {
    shard.call(&env, |s| Ok(s.len() as f64))
}

/// The generation.
#[napi(no_export)]
pub fn generation(shard: &External<NativeShard>, env: Env) -> napi::Result<f64> {
    shard.call(&env, |s| Ok(s.generation() as f64))
}

/// A view of the published generation on the sidecar's page. `undefined` if the page cannot be shown to
/// JavaScript.
#[napi(no_export)]
pub fn page(shard: &External<NativeShard>, env: Env) -> napi::Result<Option<Unknown<'_>>> {
    let words = shard.call(&env, |s| Ok(s.page()))?;
    let view = words.and_then(|words| show_word(env.raw(), words, GENERATION_AT));
    // SAFETY: a value of the running callback.
    Ok(view.map(|v| unsafe { Unknown::from_raw_unchecked(env.raw(), v) }))
}

/// A number that changes when the handle switches to another page.
#[napi(no_export)]
pub fn page_number(shard: &External<NativeShard>, env: Env) -> napi::Result<u32> {
    shard.call(&env, |s| Ok(s.page_number()))
}

/// The metadata of an entry.
#[napi(no_export)]
pub fn info(
    shard: &External<NativeShard>,
    env: Env,
    key: Unknown<'_>,
) -> napi::Result<Option<NativeEntryInfo>> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let key = unsafe { buffer.read(env.raw(), key.raw()) }.map_err(|e| raise(&env, &e))?;
    shard.call(&env, |s| Ok(s.info(key)?.map(Into::into)))
}

/// Every entry, newest first.
#[napi(no_export)]
pub fn list(shard: &External<NativeShard>, env: Env) -> napi::Result<Vec<NativeEntryInfo>> {
    shard.call(&env, |s| Ok(s.list()?.into_iter().map(Into::into).collect()))
}

/// A walk over the keys.
#[napi(no_export)]
pub fn cursor(shard: &External<NativeShard>, env: Env) -> napi::Result<External<NativeCursor>> {
    shard.call(&env, |s| Ok(External::new(NativeCursor { cursor: RefCell::new(s.cursor()?) })))
}

/// Deletes an entry.
#[napi(no_export)]
pub fn remove(shard: &External<NativeShard>, env: Env, key: Unknown<'_>) -> napi::Result<bool> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let key = unsafe { buffer.read(env.raw(), key.raw()) }.map_err(|e| raise(&env, &e))?;
    shard.call(&env, |s| s.delete(key))
}

/// Drops every entry.
#[napi(no_export)]
pub fn clear(shard: &External<NativeShard>, env: Env) -> napi::Result<()> {
    shard.call(&env, Shard::clear)
}

/// Drops every entry and removes the file.
#[napi(no_export)]
pub fn remove_file(shard: &External<NativeShard>, env: Env) -> napi::Result<()> {
    shard.call(&env, Shard::remove_file)
}

/// The number of live entries of this producer, and the bytes of all entries' parts.
#[napi(no_export)]
pub fn totals(shard: &External<NativeShard>, env: Env) -> napi::Result<Vec<f64>> {
    shard.call(&env, |s| {
        let totals = s.totals()?;
        Ok(vec![totals.own as f64, totals.part_bytes as f64])
    })
}

/// See the facade: `replaceAll` if `replace` is set, else `mergeIn`. The facade has made the batch.
#[napi(no_export)]
pub fn write_many(
    shard: &External<NativeShard>,
    env: Env,
    batch: Object<'_>,
    replace: bool,
) -> napi::Result<f64> {
    let source = Entries::new(env.raw(), &batch)?;
    let job = Job::default();
    let fill = |batch: &mut Batch<'_, '_>| source.put_into(batch);
    let count =
        shard.call(&env, |s| if replace { s.replace_all(&job, fill) } else { s.merge_in(&job, fill) })?;
    Ok(count as f64)
}

/// The same off the event loop; the entries are copied first.
#[napi(no_export)]
pub fn write_many_async(
    shard: &External<NativeShard>,
    env: Env,
    batch: Object<'_>,
    replace: bool,
    job: &External<NativeJob>,
) -> napi::Result<AsyncTask<Work<f64>>> {
    let source = Entries::new(env.raw(), &batch)?;
    let mut entries = Vec::new();
    let copied = source.each(|key, parts, meta| {
        let parts = parts.iter().map(|p| p.to_vec()).collect();
        entries.push(Owned { key: key.to_vec(), parts, meta: meta.map(<[u8]>::to_vec) });
        Ok(())
    });
    copied.map_err(|e| raise(&env, &e))?;
    shard.spawn(&env, job, move |shard, job| {
        job.expect(entries.len() as u64);
        let fill = |batch: &mut Batch<'_, '_>| {
            entries.iter().try_for_each(|entry| {
                let parts: Vec<&[u8]> = entry.parts.iter().map(Vec::as_slice).collect();
                let meta = entry.meta.as_deref().map_or(Ok(PutMeta::default()), parse_meta)?;
                batch.put(&entry.key, &parts, meta)
            })
        };
        let count = if replace { shard.replace_all(job, fill) } else { shard.merge_in(job, fill) };
        Ok(count? as f64)
    })
}

/// See the facade.
#[napi(no_export)]
pub fn evict_stale(shard: &External<NativeShard>, env: Env) -> napi::Result<f64> {
    shard.call(&env, |s| Ok(s.evict_stale(&Job::default())? as f64))
}

/// See the facade.
#[napi(no_export)]
pub fn evict_stale_async(
    shard: &External<NativeShard>,
    env: Env,
    job: &External<NativeJob>,
) -> napi::Result<AsyncTask<Work<f64>>> {
    shard.spawn(&env, job, |s, job| Ok(s.evict_stale(job)? as f64))
}

/// See the facade.
#[napi(no_export)]
pub fn compact(shard: &External<NativeShard>, env: Env) -> napi::Result<NativeCompactReport> {
    shard.call(&env, |s| Ok(s.compact(&Job::default())?.into()))
}

/// See the facade.
#[napi(no_export)]
pub fn compact_async(
    shard: &External<NativeShard>,
    env: Env,
    job: &External<NativeJob>,
) -> napi::Result<AsyncTask<Work<NativeCompactReport>>> {
    shard.spawn(&env, job, |s, job| Ok(s.compact(job)?.into()))
}

/// See the facade.
#[napi(no_export)]
pub fn verify(shard: &External<NativeShard>, env: Env) -> napi::Result<NativeVerifyReport> {
    shard.call(&env, |s| Ok(s.verify(&Job::default())?.into()))
}

/// See the facade.
#[napi(no_export)]
pub fn verify_async(
    shard: &External<NativeShard>,
    env: Env,
    job: &External<NativeJob>,
) -> napi::Result<AsyncTask<Work<NativeVerifyReport>>> {
    shard.spawn(&env, job, |s, job| Ok(s.verify(job)?.into()))
}

/// See the facade.
#[napi(no_export)]
pub fn flush(shard: &External<NativeShard>, env: Env) -> napi::Result<()> {
    shard.call(&env, Shard::flush)
}

/// See the facade.
#[napi(no_export)]
pub fn flush_async(
    shard: &External<NativeShard>,
    env: Env,
    job: &External<NativeJob>,
) -> napi::Result<AsyncTask<Work<()>>> {
    // Done here, because only this handle knows to which file its puts went.
    shard.call(&env, Shard::anchor)?;
    shard.spawn(&env, job, |s, job| {
        job.step()?;
        s.flush()
    })
}

/// See the facade.
#[napi(no_export)]
pub fn durability(shard: &External<NativeShard>, env: Env) -> napi::Result<NativeDurability> {
    shard.call(&env, |s| Ok(s.durability().into()))
}

/// See the facade.
#[napi(no_export)]
pub fn stats(shard: &External<NativeShard>, env: Env) -> napi::Result<NativeStats> {
    shard.call(&env, |s| Ok(s.stats().into()))
}

/// A walk over the keys of a shard.
pub struct NativeCursor {
    cursor: RefCell<Cursor>,
}

/// The next keys of a walk, at most `most`; empty at the end.
#[napi(no_export)]
pub fn next_keys(walk: &External<NativeCursor>, env: Env, most: u32) -> napi::Result<Vec<String>> {
    guarded(|| walk.cursor.borrow_mut().next_keys(most as usize)).map_err(|e| raise(&env, &e))
}
