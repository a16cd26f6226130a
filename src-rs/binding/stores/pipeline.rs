//! The pipeline cache.
#![allow(unsafe_code)]

use super::super::errors::raise;
use super::super::guard::guarded;
use super::super::lending::{lend, lent};
use super::super::raw::{all_bytes, bytes};
use super::super::reports::NativeDurability;
use super::super::shard::Functions;
use super::super::work::Work;
use napi::bindgen_prelude::{AsyncTask, External, JsValue, Unknown};
use napi::{Env, sys};
use napi_derive::napi;
use std::cell::RefCell;
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use warmshard_core::Error;
use warmshard_core::limits::{MAP_BLOB_BYTES, MAX_LENT_WINDOWS};
use warmshard_core::storage::trust::Trust;
use warmshard_core::stores::pipeline::artifact::{self, Artifact, Fingerprint};
use warmshard_core::stores::pipeline::{Pipeline, PipelineMetrics, PipelineOptions};

/// The table `pipeline`.
pub const FUNCTIONS: Functions = &[
    ("open", open_c_callback),
    ("get", get_c_callback),
    ("has", has_c_callback),
    ("put", put_c_callback),
    ("remove", remove_c_callback),
    ("clear", clear_c_callback),
    ("flush", flush_c_callback),
    ("flushAsync", flush_async_c_callback),
    ("durability", durability_c_callback),
    ("metrics", metrics_c_callback),
    ("close", close_c_callback),
    ("fingerprintParts", fingerprint_parts_c_callback),
    ("artifactFooter", artifact_footer_c_callback),
    ("artifactIsSound", artifact_is_sound_c_callback),
];

/// See `DiskPipelineOptions` of the facade, which checks the types.
#[napi(object)]
pub struct NativePipelineOptions {
    pub read_only: bool,
    pub mapped: bool,
    pub max_bytes: Option<f64>,
    pub trust: Option<String>,
}

/// See `PipelineMetrics` of the facade.
#[napi(object)]
pub struct NativePipelineMetrics {
    pub lookups: f64,
    pub hits: f64,
    pub misses: f64,
    pub puts: f64,
    pub rejected_puts: f64,
    pub evictions: f64,
    pub evicted_bytes: f64,
    pub flushes: f64,
    pub flush_errors: f64,
    pub cached_bytes: f64,
    pub entries: f64,
}

impl From<PipelineMetrics> for NativePipelineMetrics {
    fn from(m: PipelineMetrics) -> Self {
        NativePipelineMetrics {
            lookups: m.lookups as f64,
            hits: m.hits as f64,
            misses: m.misses as f64,
            puts: m.puts as f64,
            rejected_puts: m.rejected_puts as f64,
            evictions: m.evictions as f64,
            evicted_bytes: m.evicted_bytes as f64,
            flushes: m.flushes as f64,
            flush_errors: m.flush_errors as f64,
            cached_bytes: m.cached_bytes as f64,
            entries: m.entries as f64,
        }
    }
}

/// An open pipeline cache.
pub struct NativePipeline {
    /// `None` once closed. Work off the event loop has its own `Arc`.
    cache: RefCell<Option<Arc<Pipeline>>>,
    root: PathBuf,
    mapped: AtomicBool,
}

impl NativePipeline {
    fn cache(&self) -> Result<Arc<Pipeline>, Error> {
        let cache = self.cache.try_borrow().ok().and_then(|c| c.clone());
        cache.ok_or_else(|| Error::Closed(self.root.clone()))
    }

    fn call<T>(&self, env: &Env, run: impl FnOnce(&Pipeline) -> Result<T, Error>) -> napi::Result<T> {
        guarded(|| run(self.cache()?.as_ref())).map_err(|e| raise(env, &e))
    }

    fn payload(&self, env: &Env, artifact: &Artifact) -> Option<sys::napi_value> {
        if artifact.len() >= MAP_BLOB_BYTES
            && self.mapped.load(Ordering::Relaxed)
            && lent() < MAX_LENT_WINDOWS
            && let Some(window) = artifact.window()
        {
            match lend(env.raw(), window) {
                Some(lent) => return Some(lent),
                None => self.mapped.store(false, Ordering::Relaxed),
            }
        }
        let (mut data, mut buffer) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: plain out-parameters; the memory belongs to the new buffer, which JavaScript does not have yet.
        let into = unsafe {
            let made = sys::napi_create_buffer(env.raw(), artifact.len(), &mut data, &mut buffer);
            match made {
                sys::Status::napi_ok if artifact.is_empty() || data.is_null() => &mut [],
                sys::Status::napi_ok => std::slice::from_raw_parts_mut(data.cast::<u8>(), artifact.len()),
                _ => return None,
            }
        };
        artifact.read(into).then_some(buffer)
    }
}

/// See the facade.
#[napi(no_export)]
pub fn open(root: String, options: NativePipelineOptions) -> External<NativePipeline> {
    let root = PathBuf::from(root);
    let default = PipelineOptions::default();
    let cache = Pipeline::open(
        &root,
        PipelineOptions {
            read_only: options.read_only,
            max_bytes: options.max_bytes.map_or(default.max_bytes, |v| v as u64),
            trust: options.trust.as_deref().and_then(Trust::named).unwrap_or_default(),
        },
    );
    External::new(NativePipeline {
        cache: RefCell::new(Some(Arc::new(cache))),
        root,
        mapped: AtomicBool::new(options.mapped),
    })
}

/// An `ArrayBuffer` that is lent, or a `Buffer` with a copy; `null` for a miss.
#[napi(no_export)]
pub fn get(
    pipeline: &External<NativePipeline>,
    env: Env,
    fingerprint: Unknown<'_>,
) -> napi::Result<Option<Unknown<'static>>> {
    let found = pipeline.call(&env, |cache| {
        Ok(cache.get_with(&fingerprint_of(&env, &fingerprint)?, |artifact| pipeline.payload(&env, artifact)))
    })?;
    // SAFETY: a value of the running callback.
    Ok(found.map(|value| unsafe { Unknown::from_raw_unchecked(env.raw(), value) }))
}

/// See the facade.
#[napi(no_export)]
pub fn has(pipeline: &External<NativePipeline>, env: Env, fingerprint: Unknown<'_>) -> napi::Result<bool> {
    pipeline.call(&env, |cache| Ok(cache.has(&fingerprint_of(&env, &fingerprint)?)))
}

/// Stores an artifact. One that is too large or cannot be written is only counted.
#[napi(no_export)]
pub fn put(
    pipeline: &External<NativePipeline>,
    env: Env,
    fingerprint: Unknown<'_>,
    payload: Unknown<'_>,
) -> napi::Result<()> {
    pipeline.call(&env, |cache| {
        let (fingerprint, payload) = (fingerprint_of(&env, &fingerprint)?, payload_of(&env, &payload)?);
        match cache.put(&fingerprint, payload) {
            Err(Error::TooLarge { .. } | Error::Io { .. } | Error::NoSpace { .. }) => Ok(()),
            other => other,
        }
    })
}

/// See the facade.
#[napi(no_export)]
pub fn remove(pipeline: &External<NativePipeline>, env: Env, fingerprint: Unknown<'_>) -> napi::Result<bool> {
    pipeline.call(&env, |cache| cache.remove(&fingerprint_of(&env, &fingerprint)?))
}

/// See the facade.
#[napi(no_export)]
pub fn clear(pipeline: &External<NativePipeline>, env: Env) -> napi::Result<f64> {
    pipeline.call(&env, |cache| Ok(cache.clear()? as f64))
}

/// See the facade.
#[napi(no_export)]
pub fn flush(pipeline: &External<NativePipeline>, env: Env) -> napi::Result<()> {
    pipeline.call(&env, Pipeline::flush)
}

/// See the facade.
#[napi(no_export)]
pub fn flush_async(pipeline: &External<NativePipeline>, env: Env) -> napi::Result<AsyncTask<Work<()>>> {
    let cache = pipeline.cache().map_err(|e| raise(&env, &e))?;
    Ok(AsyncTask::new(Work::new(move || cache.flush())))
}

/// See the facade.
#[napi(no_export)]
pub fn durability(pipeline: &External<NativePipeline>, env: Env) -> napi::Result<NativeDurability> {
    pipeline.call(&env, |cache| {
        let pending = cache.pending();
        Ok(NativeDurability {
            pending_entries: pending.files as f64,
            pending_bytes: pending.bytes as f64,
            durable: pending.files == 0,
        })
    })
}

/// See the facade.
#[napi(no_export)]
pub fn metrics(pipeline: &External<NativePipeline>, env: Env) -> napi::Result<NativePipelineMetrics> {
    pipeline.call(&env, |cache| Ok(cache.metrics().into()))
}

/// Closes the cache. Does nothing if it is closed already.
#[napi(no_export)]
pub fn close(pipeline: &External<NativePipeline>) {
    if let Ok(mut cache) = pipeline.cache.try_borrow_mut() {
        cache.take();
    }
}

/// The fingerprint of an array of views: 32 bytes.
#[napi(no_export)]
pub fn fingerprint_parts(env: Env, parts: Unknown<'_>) -> napi::Result<Unknown<'static>> {
    let digest = guarded(|| {
        // SAFETY: values of the running callback; the facade has made the array, so no user code runs.
        let views = unsafe { all_bytes(env.raw(), parts.raw()) };
        let views = views.ok_or_else(|| Error::InvalidArg("a part's memory was transferred".into()))?;
        Ok(artifact::fingerprint(views))
    });
    copied(&env, &digest.map_err(|e| raise(&env, &e))?)
}

/// The footer of a payload: 32 bytes.
#[napi(no_export)]
pub fn artifact_footer(
    env: Env,
    fingerprint: Unknown<'_>,
    payload: Unknown<'_>,
) -> napi::Result<Unknown<'static>> {
    let footer =
        guarded(|| Ok(artifact::footer(&fingerprint_of(&env, &fingerprint)?, payload_of(&env, &payload)?)));
    copied(&env, &footer.map_err(|e| raise(&env, &e))?)
}

/// Whether bytes are a payload with its footer.
#[napi(no_export)]
pub fn artifact_is_sound(env: Env, fingerprint: Unknown<'_>, sealed: Unknown<'_>) -> napi::Result<bool> {
    guarded(|| {
        let sealed = payload_of(&env, &sealed)?;
        Ok(artifact::unseal(&fingerprint_of(&env, &fingerprint)?, sealed).is_some())
    })
    .map_err(|e| raise(&env, &e))
}

fn fingerprint_of(env: &Env, value: &Unknown<'_>) -> Result<Fingerprint, Error> {
    // SAFETY: `env` and all values are those of the running callback; the bytes are copied before JavaScript
    // runs again.
    let bytes = unsafe { bytes(env.raw(), value.raw()) };
    bytes
        .and_then(|b| Fingerprint::try_from(b).ok())
        .ok_or_else(|| Error::InvalidArg("a fingerprint must be a Uint8Array of 32 bytes".into()))
}

fn payload_of<'a>(env: &Env, value: &'a Unknown<'_>) -> Result<&'a [u8], Error> {
    // SAFETY: `env` and all values are those of the running callback; no JavaScript runs until it returns.
    let bytes = unsafe { bytes(env.raw(), value.raw()) };
    bytes.ok_or_else(|| {
        Error::InvalidArg("an artifact must be a Uint8Array whose memory was not transferred".into())
    })
}

/// A `Buffer` with a copy of some bytes.
fn copied(env: &Env, bytes: &[u8]) -> napi::Result<Unknown<'static>> {
    let mut buffer = ptr::null_mut();
    // SAFETY: `bytes` has this length; the value is one of the running callback, which returns it.
    unsafe {
        let data = bytes.as_ptr().cast();
        let status = sys::napi_create_buffer_copy(env.raw(), bytes.len(), data, ptr::null_mut(), &mut buffer);
        if status != sys::Status::napi_ok {
            return Err(napi::Error::from_reason("no memory for a buffer"));
        }
        Ok(Unknown::from_raw_unchecked(env.raw(), buffer))
    }
}
