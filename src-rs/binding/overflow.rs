//! A read past the end of an allocation, to prove that the sanitizer detects it (`prove/sanitizer`). In no
//! other build.
#![allow(unsafe_code)]

use napi_derive::napi;
use std::hint::black_box;

/// Reads the byte past the end.
#[napi]
#[must_use]
pub fn read_behind_the_end() -> u32 {
    let bytes: Box<[u8]> = black_box(vec![1; 16].into());
    // SAFETY: out of bounds on purpose: the sanitizer must end the process here.
    u32::from(unsafe { bytes.as_ptr().add(black_box(bytes.len())).read_volatile() })
}
