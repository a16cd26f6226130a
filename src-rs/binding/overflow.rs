//! A read behind the end of an allocation, for the proof that the sanitizer finds one (`prove/sanitizer`). No other build has it.
#![allow(unsafe_code)]

use napi_derive::napi;
use std::hint::black_box;

/// Reads the byte behind the end.
#[napi]
#[must_use]
pub fn read_behind_the_end() -> u32 {
    let bytes: Box<[u8]> = black_box(vec![1; 16].into());
    // SAFETY: there is none. It is what the sanitizer must end the process for.
    u32::from(unsafe { bytes.as_ptr().add(black_box(bytes.len())).read_volatile() })
}
