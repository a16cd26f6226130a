//! What the system refused to somebody who could not say so at once.
//!
//! Bytes that cannot be read are "not there" to whoever looks at them. Whoever *decides* something for good by what is not
//! there (cuts a file, leaves an entry out of a new one, calls it damaged) must ask first whether it could be read.

use crate::error::{Error, Result};
use std::sync::{Mutex, PoisonError};

/// The last refusal since somebody asked.
#[derive(Debug, Default)]
pub struct Refusal(Mutex<Option<Error>>);

impl Refusal {
    /// Takes note of one.
    #[cold]
    pub fn note(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Whether all went well since this was last asked.
    ///
    /// # Errors
    /// What was noted.
    pub fn ask(&self) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}
