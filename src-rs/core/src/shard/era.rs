//! For whoever keeps answers of a look-up instead of asking again: what says that they still hold.
//!
//! An answer of the quick way holds as long as the page's generation and this handle's era are what they were before
//! the look-up and after it. Whatever any process publishes changes the generation. The era changes where this handle
//! takes in another file, another page or a new epoch of the recency table, stops lending, or could not catch up.

use super::Shard;
use crate::mapping::SharedWords;
use crate::storage::File;
use std::sync::Arc;

impl Shard {
    /// Answers that were kept may no longer hold.
    #[inline]
    pub(super) fn end_era(&mut self) {
        self.era = self.era.wrapping_add(1);
    }

    /// Differs from what it was while other answers held.
    #[inline(always)]
    #[must_use]
    pub fn era(&self) -> u32 {
        self.era
    }

    /// Differs from what it was while this handle used other pages.
    #[must_use]
    pub fn page_number(&self) -> u32 {
        self.pages
    }

    /// The page that this handle uses, to be looked at only. `None` where it is not mapped.
    #[must_use]
    pub fn page(&self) -> Option<SharedWords> {
        self.sidecar.as_ref()?.page()
    }

    /// The sidecar that this handle uses, for who reads the page where it cannot be mapped.
    #[must_use]
    pub fn page_file(&self) -> Option<Arc<dyn File>> {
        self.sidecar.as_ref().map(|s| Arc::clone(s.file()))
    }

    /// Counts hits that were answered without this handle, and looks at the clock as they would have done.
    pub fn count_kept(&mut self, hits: u32) {
        self.lookups.hits = self.lookups.hits.wrapping_add(u64::from(hits));
        self.check_identity();
    }
}
