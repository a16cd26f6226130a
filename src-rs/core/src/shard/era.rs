//! For whoever keeps answers of a look-up instead of asking again: what says that they still hold.
//!
//! An answer of the quick way holds as long as nothing is published, and as long as this handle does nothing that
//! could change it: takes in another file, another sidecar, or a new epoch of the recency table, or stops
//! lending. The page tells the former, the era the latter.

use super::Shard;
use crate::mapping::SharedWords;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the era stands among the words.
const ERA: usize = 0;
/// How many sidecars this handle has had; each has a page of its own.
const SIDECARS: usize = 1;

/// Numbers that only this handle changes, and that whoever keeps answers may look at.
#[derive(Debug)]
pub(super) struct Era(Arc<[AtomicU64]>);

impl Default for Era {
    fn default() -> Self {
        Era(Arc::new([AtomicU64::new(1), AtomicU64::new(0)]))
    }
}

impl Era {
    fn get(&self) -> u64 {
        self.0.get(ERA).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn raise(&self, index: usize) {
        if let Some(word) = self.0.get(index) {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Kept answers may no longer hold.
    pub fn end(&self) {
        self.raise(ERA);
    }

    /// The page is another one.
    pub fn end_with_sidecar(&self) {
        self.raise(SIDECARS);
        self.end();
    }
}

impl Shard {
    /// The generation and the era that an answer of the quick way, if given now, belongs to. `None` while this handle
    /// has not caught up with what is published.
    #[inline(always)]
    #[must_use]
    pub fn vouch(&self) -> Option<(u64, u64)> {
        let generation = self.sidecar.as_ref()?.generation();
        (generation == self.known).then(|| (generation, self.era.get()))
    }

    /// The words of the era: itself, and how many sidecars there were.
    #[must_use]
    pub fn era(&self) -> Option<SharedWords> {
        SharedWords::heap(Arc::clone(&self.era.0))
    }

    /// The page of the sidecar that this handle uses, to be looked at only. `None` where it is not mapped.
    #[must_use]
    pub fn page(&self) -> Option<SharedWords> {
        self.sidecar.as_ref()?.page()
    }

    /// Counts hits that were answered without this handle, and looks at the clock as they would have done.
    pub fn count_kept(&mut self, hits: u32) {
        self.lookups.hits = self.lookups.hits.wrapping_add(u64::from(hits));
        self.check_identity();
    }
}
