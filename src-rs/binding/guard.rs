//! No panic reaches the host: unwinding out of a callback would end the process.

use std::any::Any;
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
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(internal(&*panic)))
}

/// The error for a panic, with what it said.
#[cold]
fn internal(panic: &(dyn Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::Internal(said.unwrap_or("no reason given").into())
}
