//! The block of memory through which facade and addon pass numbers without making values for them.
//!
//! One `ArrayBuffer` of 4 KiB per shard, never handed to users:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0.. | `Uint32`s of the answer: for each part window number (or `COPY`, `NEEDS_WINDOW`), offset, length |
//! | 384.. | one `Uint32`: the number of the window made last |
//! | 388.. | one `Uint32`: the era of the handle, after each call |
//! | 392.. | one `Int32`: the status of `get`; other calls return theirs |
//! | 2048.. | the metadata block of the call |
//!
//! A metadata block, also used for each entry of a batch, has 112 bytes: `Float64`s for validator kind, expiry in
//! milliseconds, seconds, nanoseconds, size (-1 for none) and number of bytes, then up to 64 bytes.
#![allow(unsafe_code)]

use napi::sys;
use std::ptr;
use warmshard_core::limits::MAX_PARTS;
use warmshard_core::{Error, PutMeta, Validator};

/// Length of the block in bytes.
pub const LEN: usize = 4096;
const META_AT: usize = 2048;
const META_LEN: usize = 112;
const BYTES_AT: usize = 48;

/// The word after the parts of an answer: the number of the window made last.
pub const MADE_WINDOW: usize = MAX_PARTS * 3;
/// The next word: the era.
pub const ERA: usize = MADE_WINDOW + 1;
/// The next word: the status of `get`.
pub const STATUS: usize = ERA + 1;
const WORDS: usize = STATUS + 1;
const _: () = assert!(WORDS * 4 <= META_AT);

/// No window contains the bytes: they must be copied.
pub const COPY: u32 = u32::MAX;
/// The window that contains the bytes has not been made yet.
pub const NEEDS_WINDOW: u32 = u32::MAX - 1;

/// The block of one shard.
pub struct Exchange {
    env: sys::napi_env,
    reference: sys::napi_ref,
    data: *mut u8,
}

impl Exchange {
    /// Makes the block. Returns it and its `ArrayBuffer`.
    pub fn new(env: sys::napi_env) -> Option<(Self, sys::napi_value)> {
        let (mut data, mut buffer, mut reference) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: plain out-parameters; the strong reference keeps the memory where it is.
        unsafe {
            if sys::napi_create_arraybuffer(env, LEN, &mut data, &mut buffer) != sys::Status::napi_ok
                || sys::napi_create_reference(env, buffer, 1, &mut reference) != sys::Status::napi_ok
                || data.is_null()
            {
                return None;
            }
        }
        Some((Exchange { env, reference, data: data.cast() }, buffer))
    }

    /// Writes one word of the answer.
    #[inline]
    pub fn set(&self, index: usize, value: u32) {
        if index < WORDS {
            // SAFETY: within the block, which is aligned to at least 8 bytes; only this thread uses it.
            unsafe { self.data.cast::<u32>().add(index).write(value) };
        }
    }

    /// One word of the answer.
    #[inline]
    pub fn get(&self, index: usize) -> u32 {
        // SAFETY: as `set`.
        if index < WORDS { unsafe { self.data.cast::<u32>().add(index).read() } } else { 0 }
    }

    /// The metadata block of the call.
    #[inline]
    pub fn meta(&self) -> &[u8] {
        // SAFETY: within the block; JavaScript, the only other writer, does not run during a callback.
        unsafe { std::slice::from_raw_parts(self.data.add(META_AT), META_LEN) }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // SAFETY: dropped by a finalizer or a method, on the environment's thread.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}

/// Reads a metadata block.
pub fn parse_meta(block: &[u8]) -> Result<PutMeta<'_>, Error> {
    let number = |index: usize| -> Option<f64> {
        let from = index.checked_mul(8)?;
        Some(f64::from_le_bytes(block.get(from..from.checked_add(8)?)?.try_into().ok()?))
    };
    let broken = || Error::InvalidArg("the metadata block of an entry is damaged".into());
    let (Some(kind), Some(expires), Some(sec), Some(nsec), Some(size), Some(len)) =
        (number(0), number(1), number(2), number(3), number(4), number(5))
    else {
        return Err(broken());
    };
    let bytes = block.get(BYTES_AT..).and_then(|b| b.get(..len as usize)).ok_or_else(broken)?;
    let validator = match kind as u32 {
        0 => Validator::None,
        1 => Validator::Mtime {
            sec: sec as i64,
            nsec: nsec as u32,
            size: (size >= 0.0).then_some(size as u64),
        },
        2 => Validator::Digest(bytes),
        3 => Validator::Opaque(bytes),
        _ => return Err(broken()),
    };
    Ok(PutMeta { validator, expires_ms: expires as u64 })
}
