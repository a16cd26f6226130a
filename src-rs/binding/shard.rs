//! The generated part: everything that is not called millions of times.
#![allow(unsafe_code)]

use super::entries::Entries;
use super::errors::{raise, register};
use super::exchange::{Exchange, MADE_WINDOW, parse_meta};
use super::guard::guarded;
use super::handle::Handle;
use super::hot::{FIRST, OTHERS};
use super::lending::lend;
use super::options::OpenOptions;
use super::raw::KeyBuffer;
use super::reports::{
    NativeCompactReport, NativeDurability, NativeEntryInfo, NativeStats, NativeVerifyReport,
};
use super::work::{NativeJob, Work};
use napi::bindgen_prelude::{AsyncTask, JsValue, Object, Unknown};
use napi::{Env, sys};
use napi_derive::napi;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use warmshard_core::shard::{Batch, Cursor, OWN_WINDOW};
use warmshard_core::{Error, Job, PutMeta, Shard};

/// Takes in the class that errors are made of. Once per environment, before anything else.
#[napi]
pub fn set_error_class(env: Env, class: Unknown<'_>) {
    register(env.raw(), class.raw());
}

/// An open shard.
#[napi]
pub struct NativeShard {
    pub(super) handle: Rc<Handle>,
}

/// Entries of a batch, copied for work on another thread.
struct Owned {
    key: Vec<u8>,
    parts: Vec<Vec<u8>>,
    meta: Option<Vec<u8>>,
}

#[napi]
impl NativeShard {
    /// Opens a shard and puts its first callbacks and its exchange block on `target`.
    #[napi(factory)]
    pub fn open(env: Env, path: String, options: OpenOptions, target: Object<'_>) -> napi::Result<Self> {
        let opened = guarded(|| Shard::open(Path::new(&path), options.parse()?));
        let shard = opened.map_err(|e| raise(&env, &e))?;
        let (exchange, buffer) = Exchange::new(env.raw())
            .ok_or_else(|| napi::Error::from_reason("no memory for the exchange block"))?;
        let handle = Rc::new(Handle::new(shard, exchange));
        FIRST.attach(env.raw(), target.raw(), &handle);
        // SAFETY: both are values of the running callback.
        unsafe {
            sys::napi_set_named_property(env.raw(), target.raw(), c"exchange".as_ptr(), buffer);
        }
        Ok(NativeShard { handle })
    }

    /// The version that this binary was built from.
    #[napi]
    pub fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn call<T>(&self, env: &Env, run: impl FnOnce(&mut Shard) -> Result<T, Error>) -> napi::Result<T> {
        guarded(|| self.handle.with(run)).map_err(|e| raise(env, &e))
    }

    /// Work on a handle of its own.
    fn spawn<T, R>(&self, env: &Env, job: &NativeJob, run: R) -> napi::Result<AsyncTask<Work<T>>>
    where
        T: Send + napi::bindgen_prelude::ToNapiValue + napi::bindgen_prelude::TypeName + 'static,
        R: FnOnce(&mut Shard, &Job) -> Result<T, Error> + Send + 'static,
    {
        let opener = self.call(env, |s| Ok(s.opener()))?;
        let job = Arc::clone(&job.job);
        Ok(AsyncTask::new(Work::new(move || run(&mut opener.open(&job)?, &job))))
    }

    /// Puts the other callbacks on `target`.
    #[napi]
    pub fn attach(&self, env: Env, target: Object<'_>) {
        OTHERS.attach(env.raw(), target.raw(), &self.handle);
    }

    /// Ends the use of the shard.
    #[napi]
    pub fn close(&self) {
        // What closing could not finish is left to whoever opens next.
        let _ = guarded(|| {
            self.handle.close();
            Ok(())
        });
    }

    /// From now on bytes are only copied.
    #[napi]
    pub fn never_lend(&self, env: Env) -> napi::Result<()> {
        self.call(&env, |s| {
            s.never_lend();
            Ok(())
        })
    }

    /// Makes the window that a part of the last answer lies in, and states it in the exchange block.
    /// `undefined` where there can be none: then the part must be copied.
    #[napi(ts_return_type = "ArrayBuffer | undefined")]
    pub fn window(&self, env: Env, part: u32) -> napi::Result<Option<Unknown<'_>>> {
        let part = part as usize;
        let Some((offset, len)) = self.handle.last(part) else {
            return Ok(None);
        };
        let buffer = self.call(&env, |shard| {
            let Some(lent) = shard.window_for(offset, len) else {
                return Ok(None);
            };
            let buffer = lend(env.raw(), lent.window);
            // The part itself may lie behind its end, if somebody has cut the file.
            self.handle.exchange.set(MADE_WINDOW, lent.id);
            if buffer.is_none() {
                shard.never_lend();
            }
            if lent.id == OWN_WINDOW && buffer.is_some() {
                self.handle.tell_own(part, offset.saturating_sub(lent.start));
            } else {
                self.handle.tell(shard, part, offset, len);
            }
            Ok(buffer)
        })?;
        // SAFETY: a value of the running callback.
        Ok(buffer.map(|b| unsafe { Unknown::from_raw_unchecked(env.raw(), b) }))
    }

    /// What the fast door calls this shard; zero where it cannot.
    #[napi]
    pub fn fast_number(&self) -> u32 {
        self.handle.number()
    }

    /// Notices files deleted or replaced by hand.
    #[napi]
    pub fn check(&self, env: Env) -> napi::Result<()> {
        self.call(&env, |s| {
            s.check_identity();
            Ok(())
        })
    }

    /// Live entries.
    #[napi]
    pub fn size(&self, env: Env) -> napi::Result<f64> {
        self.call(&env, |s| Ok(s.len() as f64))
    }

    /// The generation.
    #[napi]
    pub fn generation(&self, env: Env) -> napi::Result<f64> {
        self.call(&env, |s| Ok(s.generation() as f64))
    }

    /// What is known of an entry.
    #[napi]
    pub fn info(&self, env: Env, key: Unknown<'_>) -> napi::Result<Option<NativeEntryInfo>> {
        let mut buffer = KeyBuffer::new();
        // SAFETY: those of the running callback.
        let key = unsafe { buffer.read(env.raw(), key.raw()) }.map_err(|e| raise(&env, &e))?;
        self.call(&env, |s| Ok(s.info(key)?.map(Into::into)))
    }

    /// Every entry, newest first.
    #[napi]
    pub fn list(&self, env: Env) -> napi::Result<Vec<NativeEntryInfo>> {
        self.call(&env, |s| Ok(s.list()?.into_iter().map(Into::into).collect()))
    }

    /// A walk over the keys.
    #[napi]
    pub fn cursor(&self, env: Env) -> napi::Result<NativeCursor> {
        self.call(&env, |s| Ok(NativeCursor { cursor: s.cursor()? }))
    }

    /// Deletes an entry.
    #[napi]
    pub fn remove(&self, env: Env, key: Unknown<'_>) -> napi::Result<bool> {
        let mut buffer = KeyBuffer::new();
        // SAFETY: those of the running callback.
        let key = unsafe { buffer.read(env.raw(), key.raw()) }.map_err(|e| raise(&env, &e))?;
        self.call(&env, |s| s.delete(key))
    }

    /// Drops every entry.
    #[napi]
    pub fn clear(&self, env: Env) -> napi::Result<()> {
        self.call(&env, Shard::clear)
    }

    /// The same, and removes the file.
    #[napi]
    pub fn remove_file(&self, env: Env) -> napi::Result<()> {
        self.call(&env, Shard::remove_file)
    }

    /// Live entries of this producer, and bytes of all entries' parts.
    #[napi]
    pub fn totals(&self, env: Env) -> napi::Result<Vec<f64>> {
        self.call(&env, |s| {
            let totals = s.totals()?;
            Ok(vec![totals.own as f64, totals.part_bytes as f64])
        })
    }

    /// See the facade: `mergeIn`, or `replaceAll` where `replace`. The arrays are the facade's own.
    #[napi]
    pub fn write_many(
        &self,
        env: Env,
        keys: Unknown<'_>,
        values: Unknown<'_>,
        metas: Unknown<'_>,
        replace: bool,
    ) -> napi::Result<f64> {
        let source = Entries { env: env.raw(), keys: keys.raw(), values: values.raw(), metas: metas.raw() };
        let job = Job::default();
        let fill = |batch: &mut Batch<'_, '_>| {
            source.each(|key, parts, meta| {
                let meta = meta.map_or(Ok(PutMeta::default()), parse_meta)?;
                batch.put(key, parts, meta)
            })
        };
        let count =
            self.call(&env, |s| if replace { s.replace_all(&job, fill) } else { s.merge_in(&job, fill) })?;
        Ok(count as f64)
    }

    /// The same off the event loop; the entries are copied first.
    #[napi(ts_return_type = "Promise<number>")]
    pub fn write_many_async(
        &self,
        env: Env,
        keys: Unknown<'_>,
        values: Unknown<'_>,
        metas: Unknown<'_>,
        replace: bool,
        job: &NativeJob,
    ) -> napi::Result<AsyncTask<Work<f64>>> {
        let source = Entries { env: env.raw(), keys: keys.raw(), values: values.raw(), metas: metas.raw() };
        let mut entries = Vec::new();
        let copied = source.each(|key, parts, meta| {
            let parts = parts.iter().map(|p| p.to_vec()).collect();
            entries.push(Owned { key: key.to_vec(), parts, meta: meta.map(<[u8]>::to_vec) });
            Ok(())
        });
        copied.map_err(|e| raise(&env, &e))?;
        self.spawn(&env, job, move |shard, job| {
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
    #[napi]
    pub fn evict_stale(&self, env: Env) -> napi::Result<f64> {
        self.call(&env, |s| Ok(s.evict_stale(&Job::default())? as f64))
    }

    /// See the facade.
    #[napi(ts_return_type = "Promise<number>")]
    pub fn evict_stale_async(&self, env: Env, job: &NativeJob) -> napi::Result<AsyncTask<Work<f64>>> {
        self.spawn(&env, job, |s, job| Ok(s.evict_stale(job)? as f64))
    }

    /// See the facade.
    #[napi]
    pub fn compact(&self, env: Env) -> napi::Result<NativeCompactReport> {
        self.call(&env, |s| Ok(s.compact(&Job::default())?.into()))
    }

    /// See the facade.
    #[napi(ts_return_type = "Promise<NativeCompactReport>")]
    pub fn compact_async(
        &self,
        env: Env,
        job: &NativeJob,
    ) -> napi::Result<AsyncTask<Work<NativeCompactReport>>> {
        self.spawn(&env, job, |s, job| Ok(s.compact(job)?.into()))
    }

    /// See the facade.
    #[napi]
    pub fn verify(&self, env: Env) -> napi::Result<NativeVerifyReport> {
        self.call(&env, |s| Ok(s.verify(&Job::default())?.into()))
    }

    /// See the facade.
    #[napi(ts_return_type = "Promise<NativeVerifyReport>")]
    pub fn verify_async(
        &self,
        env: Env,
        job: &NativeJob,
    ) -> napi::Result<AsyncTask<Work<NativeVerifyReport>>> {
        self.spawn(&env, job, |s, job| Ok(s.verify(job)?.into()))
    }

    /// See the facade.
    #[napi]
    pub fn flush(&self, env: Env) -> napi::Result<()> {
        self.call(&env, Shard::flush)
    }

    /// See the facade.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn flush_async(&self, env: Env, job: &NativeJob) -> napi::Result<AsyncTask<Work<()>>> {
        // Only this handle knows which file its puts went to.
        self.call(&env, Shard::anchor)?;
        self.spawn(&env, job, |s, job| {
            job.step()?;
            s.flush()
        })
    }

    /// See the facade.
    #[napi]
    pub fn durability(&self, env: Env) -> napi::Result<NativeDurability> {
        self.call(&env, |s| Ok(s.durability().into()))
    }

    /// See the facade.
    #[napi]
    pub fn stats(&self, env: Env) -> napi::Result<NativeStats> {
        self.call(&env, |s| Ok(s.stats().into()))
    }
}

/// A walk over keys.
#[napi]
pub struct NativeCursor {
    cursor: Cursor,
}

#[napi]
impl NativeCursor {
    /// The next keys, at most `most`; none at the end.
    #[napi]
    pub fn next_keys(&mut self, env: Env, most: u32) -> napi::Result<Vec<String>> {
        guarded(|| self.cursor.next_keys(most as usize)).map_err(|e| raise(&env, &e))
    }
}
