//! The callbacks that programs call millions of times, without generated code in between.
//!
//! Each carries its handle as callback data. It takes a string and returns a small integer. Where the
//! bytes are is written to the exchange block, and JavaScript makes the view, which was measured to
//! cost a fifth of making it here.
#![allow(unsafe_code)]

use super::callbacks::{Arguments, callbacks};
use super::exchange::{self, NEEDS_WINDOW, parse_meta};
use super::handle::{Copied, Handle};
use super::raw::{KeyBuffer, Scope, array_len, bytes, bytes_mut, element, is_detached, kind_of};
use super::slab::Slab;
use napi::sys;
use std::ptr;
use warmshard_core::limits::MAX_PARTS;
use warmshard_core::shard::COPIES;
use warmshard_core::{Error, Lookup, PutMeta, Quick, Shard, Validator};

/// Answers of `get` and similar calls, other than the number of a window, which is zero or more.
pub const MISS: i32 = -1;
pub const STALE: i32 = -2;
pub const CORRUPT: i32 = -3;
pub const MUST_COPY: i32 = -4;
const MUST_MAKE_WINDOW: i32 = -5;

callbacks! {
    /// What a program's first look-up needs. `open` puts it on an object.
    FIRST: Handle;
    get "get" => |h, env, [key]| get_value(h, env, key);
}

callbacks! {
    /// All others. They are attached when the first of them is needed, because making them takes longer than
    /// a look-up.
    OTHERS: Handle;
    get_again "getAgain" => |h, env, [key]| look(h, env, key, &Validator::None, Shard::peek, one_part_or_copy);
    get_checked "getChecked" => |h, env, [key]| look(h, env, key, &parse_meta(h.exchange.meta())?.validator, Shard::get, one_part_or_copy);
    get_parts "getParts" => |h, env, [key]| look(h, env, key, &Validator::None, Shard::get, all_parts);
    get_parts_checked "getPartsChecked" => |h, env, [key]| look(h, env, key, &parse_meta(h.exchange.meta())?.validator, Shard::get, all_parts);
    has "has" => |h, env, [key]| has_value(h, env, key);
    has_checked "hasChecked" => |h, env, [key]| has_key(h, env, key, &parse_meta(h.exchange.meta())?.validator);
    put "put" => |h, env, [key, value]| put_entry(h, env, key, value, PutMeta::default());
    put_with "putWith" => |h, env, [key, value]| put_entry(h, env, key, value, parse_meta(h.exchange.meta())?);
    copy "copyPart" => copy_part;
    place "placePart" => place_part;
    many "getMany" => get_many;
    missing "missing" => missing_keys;
    kept "countKept" => count_kept;
}

/// `get` without a validator. Its status goes into the exchange block, too, because returning a number takes
/// longer.
#[inline(always)]
fn get_value(handle: &Handle, env: sys::napi_env, key: sys::napi_value) -> Result<(), Error> {
    match find_value(handle, env, key) {
        Ok(status) => {
            handle.exchange.set(exchange::STATUS, status.cast_unsigned());
            Ok(())
        }
        Err(error) => Err(no_answer(handle, error)),
    }
}

/// Sets the status to a miss. In an environment that is ending nothing can be thrown, so the facade goes on
/// and reads the status, which must not be that of an earlier key.
#[cold]
fn no_answer(handle: &Handle, error: Error) -> Error {
    handle.exchange.set(exchange::STATUS, MISS.cast_unsigned());
    error
}

#[inline(always)]
fn find_value(handle: &Handle, env: sys::napi_env, key: sys::napi_value) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let key = unsafe { buffer.read(env, key)? };
    handle.with(|shard| match shard.get_quickly(key) {
        Quick::Hit(offset, len) => Ok(window_or_status(handle.tell_or_copy(shard, 0, offset, len))),
        Quick::Miss => Ok(MISS),
        Quick::Ask => get_in_full(handle, shard, key, one_part_or_copy),
    })
}

/// `get` for cases that the quick way leaves open. Never inlined, because that would slow down the callers.
#[inline(never)]
pub fn get_in_full(handle: &Handle, shard: &mut Shard, key: &[u8], found: Found) -> Result<i32, Error> {
    Ok(match shard.get(key, &Validator::None)? {
        Lookup::Hit(hit) => found(handle, shard, &hit),
        other => status(&other),
    })
}

/// `has` without a validator.
#[inline(always)]
fn has_value(handle: &Handle, env: sys::napi_env, key: sys::napi_value) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let key = unsafe { buffer.read(env, key)? };
    handle.with(|shard| match shard.peek_quickly(key) {
        Quick::Hit(..) => Ok(1),
        Quick::Miss => Ok(0),
        Quick::Ask => has_in_full(shard, key),
    })
}

/// `has` for cases that the quick way leaves open; see `get_in_full`.
#[inline(never)]
pub fn has_in_full(shard: &mut Shard, key: &[u8]) -> Result<i32, Error> {
    Ok(i32::from(matches!(shard.peek(key, &Validator::None)?, Lookup::Hit(_))))
}

/// Writes where a hit is, and returns the answer.
pub type Found = fn(&Handle, &mut Shard, &warmshard_core::Hit) -> i32;

#[inline(always)]
fn look(
    handle: &Handle,
    env: sys::napi_env,
    key: sys::napi_value,
    validator: &Validator<'_>,
    find: fn(&mut Shard, &[u8], &Validator<'_>) -> Result<Lookup, Error>,
    found: Found,
) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let key = unsafe { buffer.read(env, key)? };
    handle.with(|shard| {
        Ok(match find(shard, key, validator)? {
            Lookup::Hit(hit) => found(handle, shard, &hit),
            other => status(&other),
        })
    })
}

/// The answer for a look-up that found nothing usable.
#[inline(always)]
pub fn status(lookup: &Lookup) -> i32 {
    match lookup {
        Lookup::Stale => STALE,
        Lookup::Corrupt => CORRUPT,
        Lookup::Miss | Lookup::Hit(_) => MISS,
    }
}

#[inline(always)]
fn one_part_or_copy(handle: &Handle, shard: &mut Shard, hit: &warmshard_core::Hit) -> i32 {
    window_or_status(handle.tell_or_copy(shard, 0, hit.offset, hit.len))
}

#[inline(always)]
pub fn window_or_status(told: u32) -> i32 {
    match i32::try_from(told) {
        Ok(window) => window,
        Err(_) if told == NEEDS_WINDOW => MUST_MAKE_WINDOW,
        Err(_) => MUST_COPY,
    }
}

pub fn all_parts(handle: &Handle, shard: &mut Shard, hit: &warmshard_core::Hit) -> i32 {
    i32::try_from(handle.tell_all(shard, hit)).unwrap_or(MISS)
}

fn has_key(
    handle: &Handle,
    env: sys::napi_env,
    key: sys::napi_value,
    validator: &Validator<'_>,
) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback.
    let key = unsafe { buffer.read(env, key)? };
    handle.with(|shard| Ok(i32::from(matches!(shard.peek(key, validator)?, Lookup::Hit(_)))))
}

fn put_entry(
    handle: &Handle,
    env: sys::napi_env,
    key: sys::napi_value,
    value: sys::napi_value,
    meta: PutMeta<'_>,
) -> Result<(), Error> {
    let mut buffer = KeyBuffer::new();
    // SAFETY: `env` and all values are those of the running callback; no JavaScript runs until it returns.
    let (key, parts) = unsafe { (buffer.read(env, key)?, Parts::read(env, value)?) };
    handle.with(|shard| shard.put(key, parts.as_slice(), meta))
}

/// The parts of an entry as the caller's memory.
pub struct Parts<'a> {
    parts: [&'a [u8]; MAX_PARTS],
    len: usize,
}

/// The error for a value that `bytes` refuses.
///
/// # Safety
/// As `raw::bytes`.
#[cold]
unsafe fn wrong_value(env: sys::napi_env, value: sys::napi_value) -> Error {
    // SAFETY: the caller's promise.
    let (transferred, kind) = unsafe { (is_detached(env, value), kind_of(env, value)) };
    Error::InvalidArg(if transferred {
        "a value's memory was transferred; give a Uint8Array whose memory is still there".into()
    } else {
        format!("a value must be a Uint8Array, not {kind}; make one of it, or open with a codec")
    })
}

impl<'a> Parts<'a> {
    /// Reads one view, or an array of views.
    ///
    /// # Safety
    /// As `raw::bytes`.
    pub unsafe fn read(env: sys::napi_env, value: sys::napi_value) -> Result<Self, Error> {
        // SAFETY: the caller's promise.
        let wrong = |value| unsafe { wrong_value(env, value) };
        let mut it = Parts { parts: [&[]; MAX_PARTS], len: 1 };
        // SAFETY: the caller's promise.
        unsafe {
            if let (Some(view), [first, ..]) = (bytes(env, value), &mut it.parts) {
                *first = view;
                return Ok(it);
            }
            let len = array_len(env, value).ok_or_else(|| wrong(value))?;
            it.len = usize::try_from(len).unwrap_or(usize::MAX);
            if it.len > MAX_PARTS {
                return Err(Error::InvalidArg(format!(
                    "an entry may have {MAX_PARTS} parts at most, not {len}"
                )));
            }
            for (i, part) in (0..len).zip(&mut it.parts) {
                let element = element(env, value, i).unwrap_or(value);
                *part = bytes(env, element).ok_or_else(|| wrong(element))?;
            }
        }
        Ok(it)
    }

    pub fn as_slice(&self) -> &[&'a [u8]] {
        self.parts.get(..self.len).unwrap_or_default()
    }
}

/// `copyPart(index, target)`: copies a part of the last answer into a view of the same length.
fn copy_part(handle: &Handle, env: sys::napi_env, [index, target]: Arguments<2>) -> Result<i32, Error> {
    let mut part = 0u32;
    // SAFETY: `env` and all values are those of the running callback; no JavaScript runs until it returns.
    let to = unsafe {
        sys::napi_get_value_uint32(env, index, &mut part);
        bytes_mut(env, target)
    };
    let (Some(to), Some((offset, len))) = (to, handle.last(part as usize)) else {
        return Ok(MISS);
    };
    if to.len() as u64 != u64::from(len) {
        return Ok(MISS);
    }
    handle.with(|shard| Ok(if shard.copy(offset, to) { 0 } else { CORRUPT }))
}

/// `placePart(index, slab?)`: copies a part of the last answer into the slab, or into the new one that is
/// passed. Returns its window number, or `MUST_COPY` if it must be copied in another way.
fn place_part(handle: &Handle, env: sys::napi_env, [index, slab]: Arguments<2>) -> Result<i32, Error> {
    let mut part = 0u32;
    // SAFETY: `env` and all values are those of the running callback; the facade hands out no view of the
    // slab before we have it.
    unsafe {
        sys::napi_get_value_uint32(env, index, &mut part);
        if let Some(slab) = Slab::new(env, slab) {
            handle.take_slab(slab);
        }
    }
    let part = part as usize;
    let Some((offset, len)) = handle.last(part) else {
        return Ok(MISS);
    };
    handle.with(|shard| {
        Ok(match handle.copy_into_slab(shard, part, offset, len) {
            Copied::Done => i32::try_from(COPIES).unwrap_or(MUST_COPY),
            Copied::NoRoom => MUST_COPY,
            Copied::Gone => CORRUPT,
        })
    })
}

/// `getMany(keys, answers)`: writes for each key three `Uint32`s: window number or marker, offset, length.
/// For a marker other than `ABSENT`, the facade looks the key up by itself with `getAgain`, which is not
/// counted.
fn get_many(handle: &Handle, env: sys::napi_env, [keys, answers]: Arguments<2>) -> Result<i32, Error> {
    const ABSENT: u32 = u32::MAX - 2;
    // SAFETY: `env` and all values are those of the running callback; the facade has made the array of keys,
    // so no user code runs.
    let (len, answers) = unsafe { (array_len(env, keys), bytes_mut(env, answers)) };
    let (Some(len), Some(answers)) = (len, answers) else {
        return Err(Error::InvalidArg("getMany needs an array of keys".into()));
    };
    let mut buffer = KeyBuffer::new();
    handle.with(|shard| {
        for (i, answer) in (0..len).zip(answers.chunks_exact_mut(12)) {
            // SAFETY: as above; the scope ends with this iteration.
            let _scope = unsafe { Scope::open(env) };
            let wrong = |error: Error| error.of(format_args!("key {i}"));
            // SAFETY: as above.
            let key = unsafe {
                let value = element(env, keys, i).unwrap_or(ptr::null_mut());
                buffer.read(env, value).map_err(wrong)?
            };
            let found = match shard.get_quickly(key) {
                Quick::Hit(offset, len) => Some((offset, len)),
                Quick::Miss => None,
                Quick::Ask => match shard.get(key, &Validator::None).map_err(wrong)? {
                    Lookup::Hit(hit) => Some((hit.offset, hit.len)),
                    _ => None,
                },
            };
            let words = match found {
                Some((offset, len)) => {
                    let id = handle.tell_or_copy(shard, 0, offset, len);
                    [id, handle.exchange.get(1), len]
                }
                None => [ABSENT, 0, 0],
            };
            for (to, word) in answer.chunks_exact_mut(4).zip(words) {
                to.copy_from_slice(&word.to_ne_bytes());
            }
        }
        Ok(0)
    })
}

/// `countKept(hits)`: counts hits that the facade has answered from its memo, and checks the files if it is
/// time to.
fn count_kept(handle: &Handle, env: sys::napi_env, [hits]: Arguments<1>) -> Result<i32, Error> {
    let mut count = 0u32;
    // SAFETY: `env` and all values are those of the running callback.
    unsafe { sys::napi_get_value_uint32(env, hits, &mut count) };
    handle.with(|shard| {
        shard.count_kept(count);
        Ok(0)
    })
}

/// `missing(keys, answers)`: writes one byte for each key: 1 if there is no entry. Returns how many are missing.
fn missing_keys(handle: &Handle, env: sys::napi_env, [keys, answers]: Arguments<2>) -> Result<i32, Error> {
    // SAFETY: `env` and all values are those of the running callback; the facade has made the array of keys,
    // so no user code runs.
    let (len, answers) = unsafe { (array_len(env, keys), bytes_mut(env, answers)) };
    let (Some(len), Some(answers)) = (len, answers) else {
        return Err(Error::InvalidArg("missing needs an array of keys".into()));
    };
    let mut buffer = KeyBuffer::new();
    let mut missing = 0i32;
    handle.with(|shard| {
        for (i, answer) in (0..len).zip(answers) {
            // SAFETY: as above; the scope ends before the key is used, which is in `buffer`.
            let key = unsafe {
                let _scope = Scope::open(env);
                let value = element(env, keys, i).unwrap_or(ptr::null_mut());
                buffer.read(env, value)?
            };
            let absent = !shard.knows(key)?;
            *answer = u8::from(absent);
            missing = missing.saturating_add(i32::from(absent));
        }
        Ok(missing)
    })
}
