//! The C entries of the fast door, which `src-cpp/fast.cc` calls from optimised JavaScript.
//!
//! V8 passes the bytes of a string where they are in its heap. Nothing here calls into V8, so they do not
//! move until we return. All other cases (bytes beyond ASCII, whose UTF-8 differs; a closed shard; an error
//! that must be thrown) are answered with `ORDINARY`, and the caller goes through Node-API.
#![allow(unsafe_code)]

use super::guard::guarded_or;
use super::handle::Handle;
use super::hot::{Found, MISS, MUST_COPY, get_in_full, has_in_full, window_or_status};
use super::own_slab::{OwnSlab, Release};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicPtr, Ordering};
use warmshard_core::{Quick, Shard, key};

/// How many shards of a process can use the fast door at the same time; further ones use Node-API.
const MAX_SHARDS: usize = 256;

/// The answer that sends the caller to Node-API.
const ORDINARY: i32 = -6;
/// The value is in a window whose number is in the exchange block, and the facade must not keep this answer,
/// because it does not come from the quick way. The shim also returns it for keys that are not flat strings:
/// to keep such a string would keep the string that contains its characters, too.
const NEVER_KEEP: i32 = -7;
/// The same, after each `HITS_PER_CLOCK` hits, when the handle has looked at the clock.
const TICK: i32 = -8;

/// The handles, by number. A slot is filled and emptied by the thread of its handle.
static SHARDS: [AtomicPtr<Handle>; MAX_SHARDS] = [const { AtomicPtr::new(ptr::null_mut()) }; MAX_SHARDS];
static FILLING: Mutex<()> = Mutex::new(());

/// The number of a handle. Dropping it frees the number.
#[derive(Debug)]
pub struct Number(usize);

impl Number {
    /// What the caller passes to name the shard. Never zero.
    pub fn get(&self) -> u32 {
        u32::try_from(self.0).unwrap_or(0).saturating_add(1)
    }
}

/// Gives a handle a number, if one is free. The handle must own it, so that the number is freed before the
/// handle is.
pub fn number(handle: &Handle) -> Option<Number> {
    let _one_at_a_time = FILLING.lock().unwrap_or_else(PoisonError::into_inner);
    let free = SHARDS.iter().position(|slot| slot.load(Ordering::Relaxed).is_null())?;
    SHARDS.get(free)?.store(ptr::from_ref(handle).cast_mut(), Ordering::Release);
    Some(Number(free))
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some(slot) = SHARDS.get(self.0) {
            slot.store(ptr::null_mut(), Ordering::Release);
        }
    }
}

/// The handle with this number, valid until the running call returns.
#[inline(always)]
fn handle_of<'a>(shard: u32) -> Option<&'a Handle> {
    let slot = SHARDS.get((shard as usize).checked_sub(1)?)?;
    // SAFETY: the slot is emptied before its handle is dropped, because `Handle` owns its `Number`. That
    // happens on the thread of the shard's JavaScript, which is the one that calls.
    unsafe { slot.load(Ordering::Relaxed).as_ref() }
}

#[inline(always)]
unsafe fn run(
    shard: u32,
    key: *const u8,
    len: u32,
    call: impl FnOnce(&Handle, &mut Shard, &[u8]) -> i32,
) -> i32 {
    let (Some(handle), false) = (handle_of(shard), key.is_null()) else { return ORDINARY };
    // SAFETY: V8 guarantees `len` bytes at `key` until we return.
    let key = unsafe { std::slice::from_raw_parts(key, len as usize) };
    if !key::is_ascii(key) {
        return ORDINARY;
    }
    guarded_or(ORDINARY, || handle.with_open(|shard| call(handle, shard, key)).unwrap_or(ORDINARY))
}

/// Writes where a value is into the exchange block. A value that is not lent is copied, if there is room for it.
#[inline(always)]
fn tell(handle: &Handle, shard: &Shard, offset: u64, len: u32) -> i32 {
    match window_or_status(handle.tell(shard, 0, offset, len)) {
        MUST_COPY => window_or_status(handle.copy_into_own_slab(shard, offset, len)),
        told => told,
    }
}

/// `get` for cases that the quick way leaves open. Never inlined, because that would slow down the caller.
#[inline(never)]
fn ask(handle: &Handle, shard: &mut Shard, key: &[u8]) -> i32 {
    let found: Found = |handle, shard, hit| tell(handle, shard, hit.offset, hit.len);
    match get_in_full(handle, shard, key, found).unwrap_or(ORDINARY) {
        told if told < 0 => told,
        _ if shard.just_looked_at_clock() => TICK,
        _ => NEVER_KEEP,
    }
}

/// `get` without a validator.
///
/// # Safety
/// Called by the shim, on the thread of the shard's environment, with a string of V8's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_fast_get_2(shard: u32, key: *const u8, len: u32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        run(shard, key, len, |handle, shard, key| match shard.get_quickly(key) {
            Quick::Hit(offset, len) => tell(handle, shard, offset, len),
            Quick::Miss => MISS,
            Quick::Ask => ask(handle, shard, key),
        })
    }
}

/// `has` without a validator.
///
/// # Safety
/// As `warmshard_fast_get_2`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_fast_has_1(shard: u32, key: *const u8, len: u32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        run(shard, key, len, |_, shard, key| match shard.peek_quickly(key) {
            Quick::Hit(..) => 1,
            Quick::Miss => 0,
            Quick::Ask => has_in_full(shard, key).unwrap_or(ORDINARY),
        })
    }
}

/// Prefetches what a later look-up of the key will read. The return value has no meaning.
///
/// # Safety
/// As `warmshard_fast_get_2`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_fast_ahead_1(shard: u32, key: *const u8, len: u32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        run(shard, key, len, |_, shard, key| {
            shard.look_ahead(key);
            0
        })
    }
}

/// Gives a shard a new slab for copies: memory, a share in it, and the function that releases the share.
/// Returns 1 if the shard has taken it.
///
/// # Safety
/// Called by the shim, on the thread of the shard's environment, with what `OwnSlab::new` requires.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn warmshard_fast_slab_1(
    shard: u32,
    data: *mut u8,
    len: usize,
    share: *mut c_void,
    release: Release,
) -> i32 {
    let (Some(handle), Some(data)) = (handle_of(shard), NonNull::new(data)) else { return 0 };
    guarded_or(0, || {
        // SAFETY: the caller's promise.
        handle.take_own_slab(unsafe { OwnSlab::new(data, len, share, release) });
        1
    })
}
