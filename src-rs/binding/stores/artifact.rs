//! The artifact store. `facade/stores/artifact-store.ts` checks types before it calls this.
#![allow(unsafe_code)]

use crate::binding::errors::raise;
use crate::binding::guard::guarded;
use crate::binding::lending::lend_part;
use crate::binding::options::OpenOptions;
use crate::binding::raw::all_bytes;
use crate::binding::reports::NativeDurability;
use crate::binding::shard::Functions;
use crate::binding::work::Work;
use napi::bindgen_prelude::{AsyncTask, Either, External, JsValue, ToNapiValue, Uint8Array, Unknown};
use napi::{Env, sys};
use napi_derive::napi;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use warmshard_core::Error;
use warmshard_core::clock::now_ns;
use warmshard_core::shard::Durability;
use warmshard_core::stores::artifact::{ArtifactOptions, ArtifactStore, Content, Meta, Stream, names};

/// The table `artifacts`.
pub const FUNCTIONS: Functions = &[
    ("open", open_c_callback),
    ("insert", insert_c_callback),
    ("insertMany", insert_many_c_callback),
    ("get", get_c_callback),
    ("remove", remove_c_callback),
    ("removeMany", remove_many_c_callback),
    ("loadAll", load_all_c_callback),
    ("totals", totals_c_callback),
    ("clear", clear_c_callback),
    ("putOutputs", put_outputs_c_callback),
    ("output", output_c_callback),
    ("neverLend", never_lend_c_callback),
    ("evictTo", evict_to_c_callback),
    ("flush", flush_c_callback),
    ("syncPayloads", sync_payloads_c_callback),
    ("prepare", prepare_c_callback),
    ("load", load_c_callback),
    ("durability", durability_c_callback),
    ("stats", stats_c_callback),
    ("rejected", rejected_c_callback),
    ("close", close_c_callback),
];

const NS_PER_MS: u64 = 1_000_000;

/// See `ArtifactMeta` of the facade.
#[napi(object)]
pub struct NativeArtifactMeta {
    pub output_names: Vec<String>,
    pub output_sizes: Vec<f64>,
    pub stdout: Either<String, Uint8Array>,
    pub stderr: Either<String, Uint8Array>,
    pub exit_code: i32,
    pub total_size: f64,
    /// Milliseconds since the epoch; the present time if not given.
    pub stored_at: Option<f64>,
}

/// See `ArtifactStats` of the facade.
#[napi(object)]
pub struct NativeArtifactStats {
    pub entries: f64,
    pub bytes: f64,
    pub recovered_rows: f64,
    pub swept_files: f64,
    pub rejected: Option<String>,
    pub failed: Option<String>,
}

/// An open artifact store.
pub struct NativeArtifactStore {
    /// `None` once closed.
    store: RefCell<Option<ArtifactStore>>,
    path: PathBuf,
}

impl NativeArtifactStore {
    fn call<T>(
        &self,
        env: &Env,
        run: impl FnOnce(&mut ArtifactStore) -> Result<T, Error>,
    ) -> napi::Result<T> {
        guarded(|| match self.store.borrow_mut().as_mut() {
            Some(store) => run(store),
            None => Err(Error::Closed(self.path.clone())),
        })
        .map_err(|e| raise(env, &e))
    }
}

/// Opens the store in a folder or, with a namespace, in the subfolder with that name.
#[napi(no_export)]
pub fn open(
    env: Env,
    dir: String,
    namespace: Option<String>,
    options: OpenOptions,
    deferred: bool,
    max_bytes: Option<f64>,
) -> napi::Result<External<NativeArtifactStore>> {
    let mut path = PathBuf::from(dir);
    let opened = guarded(|| {
        if let Some(namespace) = &namespace {
            names::check_namespace(namespace)?;
            path.push(namespace);
        }
        let max_bytes = max_bytes.map_or(warmshard_core::limits::DEFAULT_ARTIFACT_BYTES, |v| v as u64);
        let options = ArtifactOptions { index: options.parse()?, deferred, max_bytes };
        ArtifactStore::open(&path, options)
    });
    let store = RefCell::new(Some(opened.map_err(|e| raise(&env, &e))?));
    Ok(External::new(NativeArtifactStore { store, path }))
}

/// See the facade.
#[napi(no_export)]
pub fn insert(
    store: &External<NativeArtifactStore>,
    env: Env,
    key: String,
    meta: NativeArtifactMeta,
) -> napi::Result<()> {
    let meta = from_native(meta);
    store.call(&env, |s| s.insert(&key, meta))
}

/// See the facade. There are as many `metas` as `keys`; all are checked before the first is stored.
#[napi(no_export)]
pub fn insert_many(
    store: &External<NativeArtifactStore>,
    env: Env,
    keys: Vec<String>,
    metas: Vec<NativeArtifactMeta>,
) -> napi::Result<()> {
    let rows: Vec<_> = keys.into_iter().zip(metas.into_iter().map(from_native)).collect();
    store.call(&env, |s| s.insert_many(rows))
}

/// See the facade.
#[napi(no_export)]
pub fn get(
    store: &External<NativeArtifactStore>,
    env: Env,
    key: String,
) -> napi::Result<Option<NativeArtifactMeta>> {
    Ok(store.call(&env, |s| s.get(&key))?.map(to_native))
}

/// See the facade.
#[napi(no_export)]
pub fn remove(store: &External<NativeArtifactStore>, env: Env, key: String) -> napi::Result<bool> {
    store.call(&env, |s| s.remove(&key))
}

/// See the facade.
#[napi(no_export)]
pub fn remove_many(store: &External<NativeArtifactStore>, env: Env, keys: Vec<String>) -> napi::Result<u32> {
    store.call(&env, |s| s.remove_many(&keys))
}

/// See the facade.
#[napi(no_export)]
pub fn load_all(
    store: &External<NativeArtifactStore>,
    env: Env,
) -> napi::Result<Vec<(String, NativeArtifactMeta)>> {
    let all = store.call(&env, ArtifactStore::load_all)?;
    Ok(all.into_iter().map(|(key, meta)| (key, to_native(meta))).collect())
}

/// Number of artifacts, and the sum of their total sizes.
#[napi(no_export)]
pub fn totals(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<Vec<f64>> {
    let (count, bytes) = store.call(&env, ArtifactStore::totals)?;
    Ok(vec![count as f64, bytes as f64])
}

/// See the facade.
#[napi(no_export)]
pub fn clear(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<f64> {
    Ok(store.call(&env, ArtifactStore::clear)? as f64)
}

/// See the facade, which has made the array.
#[napi(no_export)]
pub fn put_outputs(
    store: &External<NativeArtifactStore>,
    env: Env,
    key: String,
    outputs: Unknown<'_>,
    pack: bool,
) -> napi::Result<()> {
    store.call(&env, |store| {
        // SAFETY: values of the running callback; no JavaScript runs until the outputs are written.
        let views = unsafe { all_bytes(env.raw(), outputs.raw()) };
        let views = views.ok_or_else(|| {
            let wrong = "outputs must be an array of Uint8Arrays whose memory was not transferred";
            Error::InvalidArg(wrong.into())
        })?;
        store.put_outputs(&key, &views, pack)
    })
}

/// See the facade.
#[napi(no_export)]
pub fn output(
    store: &External<NativeArtifactStore>,
    env: Env,
    key: String,
    index: u32,
) -> napi::Result<Option<Unknown<'_>>> {
    let value = match store.call(&env, |s| s.output(&key, index))? {
        None => return Ok(None),
        Some(Content::Bytes(bytes)) => copied(&env, bytes)?,
        Some(Content::Window { window, from }) => match lend_part(env.raw(), window, from) {
            Some(value) => value,
            None => {
                never_lend(store, env)?;
                match store.call(&env, |s| s.output(&key, index))? {
                    Some(Content::Bytes(bytes)) => copied(&env, bytes)?,
                    _ => return Ok(None),
                }
            }
        },
    };
    // SAFETY: a value of the running callback.
    Ok(Some(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }))
}

/// From now on outputs are copied, never lent.
#[napi(no_export)]
pub fn never_lend(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<()> {
    store.call(&env, |s| {
        s.never_lend();
        Ok(())
    })
}

/// See the facade.
#[napi(no_export)]
pub fn evict_to(store: &External<NativeArtifactStore>, env: Env, bytes: f64) -> napi::Result<f64> {
    Ok(store.call(&env, |s| s.evict_to(bytes as u64))? as f64)
}

/// See the facade.
#[napi(no_export)]
pub fn flush(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<()> {
    store.call(&env, ArtifactStore::flush)
}

/// Syncs the payloads off the event loop. This is nearly all of the time that a flush takes.
#[napi(no_export)]
pub fn sync_payloads(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<AsyncTask<Work<()>>> {
    let folder = store.call(&env, |s| Ok(Arc::clone(s.folder())))?;
    Ok(AsyncTask::new(Work::new(move || folder.sync())))
}

/// Opens and closes another handle off the event loop, so that opening the index of this deferred one has
/// little left to do.
#[napi(no_export)]
pub fn prepare(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<AsyncTask<Work<()>>> {
    let (dir, options) = store.call(&env, |s| Ok((s.dir().to_path_buf(), s.options().clone())))?;
    Ok(AsyncTask::new(Work::new(move || {
        ArtifactStore::open(&dir, ArtifactOptions { deferred: false, ..options })?.close();
        Ok(())
    })))
}

/// Opens the index of a deferred store now.
#[napi(no_export)]
pub fn load(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<()> {
    store.call(&env, ArtifactStore::load)
}

/// See the facade.
#[napi(no_export)]
pub fn durability(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<NativeDurability> {
    store.call(&env, |s| {
        let (files, changes) = (s.folder().pending(), s.pending_changes());
        let durable = files.files == 0 && changes == 0;
        Ok(Durability { pending_entries: changes, pending_bytes: files.bytes, durable }.into())
    })
}

/// See the facade.
#[napi(no_export)]
pub fn stats(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<NativeArtifactStats> {
    store.call(&env, |s| {
        let (entries, bytes) = s.totals()?;
        let found = s.recovered();
        Ok(NativeArtifactStats {
            entries: entries as f64,
            bytes: bytes as f64,
            recovered_rows: found.rows as f64,
            swept_files: found.swept as f64,
            rejected: found.rejected.clone(),
            failed: found.failed.clone(),
        })
    })
}

/// Why the index was rejected, and how many rows were rebuilt. Empty if it was not; `undefined` if it is not
/// open yet.
#[napi(no_export)]
pub fn rejected(store: &External<NativeArtifactStore>, env: Env) -> napi::Result<Option<String>> {
    store.call(&env, |s| {
        let found = s.recovered();
        let said = |why: &String| format!("{why}; rebuilt {} rows", found.rows);
        Ok(s.is_loaded().then(|| found.rejected.as_ref().map(said).unwrap_or_default()))
    })
}

/// Flushes and closes the store.
#[napi(no_export)]
pub fn close(store: &External<NativeArtifactStore>) {
    // Errors are ignored: the next process that opens the store repairs what was not flushed.
    let _ = guarded(|| {
        if let Some(store) = store.store.borrow_mut().take() {
            store.close();
        }
        Ok(())
    });
}

fn copied(env: &Env, bytes: Vec<u8>) -> napi::Result<sys::napi_value> {
    // SAFETY: `env` is that of the running callback.
    unsafe { ToNapiValue::to_napi_value(env.raw(), Uint8Array::new(bytes)) }
}

fn stream(value: Either<String, Uint8Array>) -> Stream {
    match value {
        Either::A(text) => Stream::Text(text),
        Either::B(bytes) => Stream::Bytes(bytes.to_vec()),
    }
}

fn value(stream: Stream) -> Either<String, Uint8Array> {
    match stream {
        Stream::Text(text) => Either::A(text),
        Stream::Bytes(bytes) => Either::B(Uint8Array::new(bytes)),
    }
}

fn from_native(meta: NativeArtifactMeta) -> Meta {
    Meta {
        output_names: meta.output_names,
        output_sizes: meta.output_sizes.into_iter().map(|size| size as u64).collect(),
        stdout: stream(meta.stdout),
        stderr: stream(meta.stderr),
        exit_code: meta.exit_code,
        total_size: meta.total_size as u64,
        stored_ns: meta.stored_at.map_or_else(now_ns, |ms| (ms as u64).saturating_mul(NS_PER_MS)),
    }
}

fn to_native(meta: Meta) -> NativeArtifactMeta {
    NativeArtifactMeta {
        output_names: meta.output_names,
        output_sizes: meta.output_sizes.into_iter().map(|size| size as f64).collect(),
        stdout: value(meta.stdout),
        stderr: value(meta.stderr),
        exit_code: meta.exit_code,
        total_size: meta.total_size as f64,
        stored_at: Some((meta.stored_ns / NS_PER_MS) as f64),
    }
}
