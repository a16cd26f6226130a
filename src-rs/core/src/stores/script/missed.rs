//! The sources that were looked for and not found, in the state that they had then.

use super::paths::{HashedMap, SourceDigest};
use super::source::FileState;
use crate::key;
use crate::limits::MAX_MISSED_SOURCES;
use std::ffi::CStr;

/// A source at the time of its miss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Miss {
    pub state: FileState,
    /// Whether it could change again without its state showing it.
    pub racy: bool,
    /// Of its content, where that was read.
    pub digest: Option<SourceDigest>,
}

/// By the name that the caller used: one that leads to another file now must not pass for the same.
#[derive(Debug, Default)]
pub(super) struct Missed {
    misses: HashedMap<(Box<[u8]>, Miss)>,
}

impl Missed {
    #[cold]
    pub fn remember(&mut self, source: &CStr, miss: Miss) {
        if self.misses.len() >= MAX_MISSED_SOURCES {
            self.misses.clear();
        }
        let name = source.to_bytes();
        self.misses.insert(key::hash(name, 0), (name.into(), miss));
    }

    pub fn get(&self, source: &CStr) -> Option<Miss> {
        let name = source.to_bytes();
        let (known, miss) = self.misses.get(&key::hash(name, 0))?;
        (**known == *name).then_some(*miss)
    }

    #[inline(always)]
    pub fn forget(&mut self, source: &CStr) {
        if !self.misses.is_empty() {
            self.misses.remove(&key::hash(source.to_bytes(), 0));
        }
    }
}
