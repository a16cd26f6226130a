//! Entries that are waiting to be written.

use super::PARTS;
use crate::limits::{MAX_PENDING_BYTES, MAX_PENDING_MODULES};
use std::sync::Arc;

/// A part of an entry.
pub type Part = Arc<Vec<u8>>;

/// The parts of an entry that uses only the first.
pub fn alone(part: Vec<u8>) -> [Part; PARTS] {
    [part, Vec::new(), Vec::new(), Vec::new()].map(Arc::new)
}

/// See the module's head. Bounded in number and bytes.
#[derive(Debug, Default)]
pub struct Queue {
    pub entries: Vec<(Vec<u8>, [Part; PARTS])>,
    bytes: usize,
}

impl Queue {
    /// Adds an entry. Returns false if the queue is full.
    pub fn push(&mut self, key: Vec<u8>, parts: [Part; PARTS]) -> bool {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if self.entries.len() >= MAX_PENDING_MODULES || self.bytes.saturating_add(bytes) > MAX_PENDING_BYTES {
            return false;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries.push((key, parts));
        true
    }
}
