//! The era of a handle: it tells a caller that keeps answers of look-ups whether they are still valid.
//!
//! An answer of the quick way stays valid as long as the page's generation and this handle's era are the same as before
//! and after the look-up. Every change that any process publishes changes the generation. The era changes when this handle
//! switches to another file, page or epoch of the recency table, stops lending, or fails to catch up.

use super::Shard;
use crate::mapping::SharedWords;
use crate::storage::File;
use std::sync::Arc;

impl Shard {
    /// Begins another era: kept answers may no longer be valid.
    #[inline]
    pub(super) fn end_era(&mut self) {
        self.era = self.era.wrapping_add(1);
    }

    /// The number of this handle's current era.
    #[inline(always)]
    #[must_use]
    pub fn era(&self) -> u32 {
        self.era
    }

    /// A number that changes when this handle opens another page.
    #[must_use]
    pub fn page_number(&self) -> u32 {
        self.pages
    }

    /// A read-only mapping of the page that this handle uses. `None` if it is not mapped.
    #[must_use]
    pub fn page(&self) -> Option<SharedWords> {
        self.sidecar.as_ref()?.page()
    }

    /// The sidecar that this handle uses, for callers that read the page if it cannot be mapped.
    #[must_use]
    pub fn page_file(&self) -> Option<Arc<dyn File>> {
        self.sidecar.as_ref().map(|s| Arc::clone(s.file()))
    }

    /// Counts hits that were answered from kept answers. Like look-ups, it checks the paths if that is due.
    pub fn count_kept(&mut self, hits: u32) {
        self.lookups.hits = self.lookups.hits.wrapping_add(u64::from(hits));
        self.check_identity();
    }
}
