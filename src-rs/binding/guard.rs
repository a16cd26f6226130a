//! Catches panics: unwinding out of a callback would end the process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use warmshard_core::Error;

/// Runs something; a panic becomes the given answer. What it has left half done is recovered from the file,
/// as after the death of a writer.
#[inline(always)]
pub fn guarded_or<T>(otherwise: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(otherwise)
}

/// The same for something that can fail; a panic becomes an error.
#[inline(always)]
pub fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(internal(&*panic)))
}

/// The error for a panic, with its message.
#[cold]
fn internal(panic: &(dyn Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::Internal(said.unwrap_or("no reason given").into())
}
