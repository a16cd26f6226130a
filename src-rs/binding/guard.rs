//! No panic reaches the host: unwinding out of a callback would end the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use warmshard_core::Error;

/// Runs something; a panic, if there ever is one, becomes the given answer, or an error. What it left half-done is found out
/// again from the file, as after a writer's death.
#[inline(always)]
pub fn guarded_or<T>(otherwise: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(otherwise)
}

/// The same for what can fail anyway.
#[inline(always)]
pub fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Error::InvalidArg("internal error in warmshard: please report it, with what was called".into()))
    })
}
