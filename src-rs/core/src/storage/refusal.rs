//! Failed system calls of functions that cannot return an error.
//!
//! For a look-up, bytes that cannot be read count as absent. But code that draws a lasting conclusion from absent bytes
//! (cuts a file, leaves an entry out of a new one, reports damage) must first ask whether they could be read.

use crate::error::{Error, Result};
use std::sync::{Mutex, PoisonError};

/// The last failed system call since `ask` was called.
#[derive(Debug, Default)]
pub struct Refusal(Mutex<Option<Error>>);

impl Refusal {
    /// Remembers a failed system call.
    #[cold]
    pub fn note(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Returns the remembered error, if there is one, and forgets it.
    ///
    /// # Errors
    /// The last one that was noted.
    pub fn ask(&self) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}
