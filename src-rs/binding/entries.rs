//! The entries of a batch, read from the facade's arrays.
//!
//! Reading an array element through Node-API costs more than everything that is done with it afterwards. So
//! the facade's function `read` calls `take_run` with a whole run of keys and values as arguments, which
//! Node-API hands over all at once, at almost no cost. `Run` notes the plain ones; the others are read
//! element by element.
#![allow(unsafe_code)]

use super::exchange::parse_meta;
use super::guard::guarded_or;
use super::hot::Parts;
use super::raw::{KeyBuffer, Scope, arguments, array_len, bytes, call, element, is_undefined, utf8};
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, Unknown};
use napi::sys;
use std::cell::Cell;
use std::{iter, ptr};
use warmshard_core::limits::MAX_KEY_BYTES;
use warmshard_core::mapping::prefetch;
use warmshard_core::shard::Batch;
use warmshard_core::{Error, PutMeta};

/// Number of entries in a run: `RUN` in facade/later/values.ts.
const GROUP: usize = 64;

/// Bytes for the keys of a run. Keys that do not fit are read one by one.
const ARENA: usize = 16 << 10;

/// Bytes that Node-API may write for a key, terminator included. A key that leaves fewer than `KEY_SPARE` of
/// them unused may have been truncated, and is read by itself.
const KEY_ROOM: usize = MAX_KEY_BYTES;
const KEY_SPARE: usize = 8;

/// Smallest number of entries for which the call of `read` pays.
const FEW: u32 = 4;

thread_local! {
    /// The run that is being read on this thread; null if there is none.
    static READING: Cell<*mut Run> = const { Cell::new(ptr::null_mut()) };
}

/// Takes an entry: key, parts, and metadata block. Returns whether it has read the bytes of the parts.
type Take<'a> = dyn FnMut(&[u8], &[&'static [u8]], Option<&[u8]>) -> Result<bool, Error> + 'a;

/// A batch made by the facade (`Batch` in facade/later/values.ts).
pub struct Entries {
    env: sys::napi_env,
    runs: sys::napi_value,
    metas: sys::napi_value,
    read: sys::napi_value,
}

/// The plain entries of a run: ASCII keys with one view as their value.
struct Run {
    arena: Vec<u8>,
    entries: [Option<Plain>; GROUP],
    /// Whether to prefetch values, because they are read soon.
    fetches: bool,
}

/// Start and length of the key in the arena, and the value.
#[derive(Clone, Copy)]
struct Plain {
    key: (usize, usize),
    value: *const [u8],
}

impl Run {
    fn new() -> Self {
        Run { arena: vec![0; ARENA], entries: [None; GROUP], fetches: true }
    }

    /// # Safety
    /// As `raw::bytes`.
    unsafe fn take(&mut self, env: sys::napi_env, arguments: &[sys::napi_value]) {
        let mut used = 0usize;
        for ([key, value], slot) in arguments.as_chunks().0.iter().zip(&mut self.entries) {
            // SAFETY: the caller's promise.
            let Some(view) = (unsafe { bytes(env, *value) }) else { continue };
            if self.fetches {
                prefetch(view);
            }
            let room = self.arena.get_mut(used..).unwrap_or_default();
            let room = if room.len() > KEY_ROOM { room.split_at_mut(KEY_ROOM).0 } else { room };
            // SAFETY: as above.
            let Some(len) = (unsafe { utf8(env, *key, room) }) else { continue };
            let whole = len.saturating_add(KEY_SPARE) < room.len();
            if whole && room.get(..len).is_some_and(<[u8]>::is_ascii) {
                *slot = Some(Plain { key: (used, len), value: view });
                used = used.saturating_add(len);
            }
        }
    }
}

/// `takeRun(...keysAndValues)`: notes a run of the batch that is being read.
pub unsafe extern "C" fn take_run(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: `env` and all values are those of the running callback; `READING` is null except while
    // `Entries::walk_from` waits for this call.
    unsafe {
        let run = READING.replace(ptr::null_mut());
        if let Some(run) = run.as_mut() {
            let (arguments, _) = arguments::<{ 2 * GROUP }>(env, info);
            guarded_or((), || run.take(env, &arguments));
        }
    }
    ptr::null_mut()
}

impl Entries {
    pub fn new(env: sys::napi_env, batch: &Object<'_>) -> napi::Result<Self> {
        let part = |name| batch.get_named_property::<Unknown<'_>>(name).map(|value| value.raw());
        Ok(Entries { env, runs: part("runs")?, metas: part("metas")?, read: part("read")? })
    }

    /// Passes each entry to `take`: key, parts, and metadata block.
    pub fn each(
        &self,
        mut take: impl FnMut(&[u8], &[&[u8]], Option<&[u8]>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.walk(&mut |key, parts, meta| take(key, parts, meta).map(|()| true))
    }

    /// Puts each entry. Values are lent to the batch, which is finished within the running callback.
    pub fn put_into(&self, batch: &mut Batch<'_, '_>) -> Result<(), Error> {
        self.walk(&mut |key, parts, meta| {
            let meta = meta.map_or(Ok(PutMeta::default()), parse_meta)?;
            match parts {
                [value] => batch.put_lent(key, value, meta),
                _ => batch.put(key, parts, meta).map(|()| true),
            }
        })
    }

    /// Passes each entry to `take`. The bytes of the parts are valid until the running callback returns.
    fn walk(&self, take: &mut Take<'_>) -> Result<(), Error> {
        let mut number = 0;
        self.walk_from(&mut number, take)
            .map_err(|error| error.of(format_args!("entry {number} of the batch")))
    }

    /// The same; `number` is set to the number of the entry, for error messages.
    fn walk_from(&self, number: &mut u32, take: &mut Take<'_>) -> Result<(), Error> {
        let env = self.env;
        let mut buffer = KeyBuffer::new();
        let mut run = Run::new();
        // SAFETY: the values are those of the running callback. The arrays are plain ones made by the facade,
        // `read` only passes one of them on, and `take` does not call into JavaScript. So no user code runs
        // before the batch ends that could detach the memory to which `run` refers; the arrays keep the views
        // alive.
        unsafe {
            let has_metas = array_len(env, self.metas).is_some_and(|len| len > 0);
            for at in 0..array_len(env, self.runs).unwrap_or(0) {
                let _scope = Scope::open(env);
                let wrong = || Error::InvalidArg("it is not a key and a value".into());
                let elements = element(env, self.runs, at).ok_or_else(wrong)?;
                let entries = array_len(env, elements).unwrap_or(0) / 2;
                run.entries.fill(None);
                if entries >= FEW {
                    READING.set(&raw mut run);
                    let called = call(env, self.read, elements);
                    READING.set(ptr::null_mut());
                    called?;
                }
                for (i, plain) in (0..entries).zip(run.entries.into_iter().chain(iter::repeat(None))) {
                    let meta = if has_metas { element(env, self.metas, *number) } else { None };
                    let meta = meta.filter(|m| !is_undefined(env, *m)).and_then(|m| bytes(env, m));
                    let key = plain.and_then(|p| run.arena.get(p.key.0..)?.get(..p.key.1));
                    match (key, plain) {
                        (Some(key), Some(Plain { value, .. })) => {
                            run.fetches = take(key, &[&*value], meta)?;
                        }
                        _ => {
                            let [key, value] = [0, 1].map(|side| element(env, elements, 2 * i + side));
                            let (key, value) = key.zip(value).ok_or_else(wrong)?;
                            let key = buffer.read(env, key)?;
                            run.fetches = take(key, Parts::read(env, value)?.as_slice(), meta)?;
                        }
                    }
                    *number = number.saturating_add(1);
                }
            }
        }
        Ok(())
    }
}
