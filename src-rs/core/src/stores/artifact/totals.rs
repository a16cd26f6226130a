//! Number and size of the artifacts: counted once, then updated with this handle's own changes, and counted
//! again after another process has changed the index.

use super::{ArtifactStore, Row};
use crate::error::Result;

/// Totals of the rows that a handle sees. Rows without metadata count only in `hidden`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    /// The index's generation when this was counted.
    pub generation: u64,
    /// Rows with metadata.
    pub count: u64,
    /// Sum of their total sizes, in bytes.
    pub bytes: u64,
    /// Bytes of payloads without metadata.
    pub hidden: u64,
}

impl Totals {
    fn add(&mut self, row: &Row) {
        if row.meta.is_some() {
            self.count = self.count.saturating_add(1);
            self.bytes = self.bytes.saturating_add(row.size());
        } else {
            self.hidden = self.hidden.saturating_add(row.size());
        }
    }

    fn take(&mut self, row: &Row) {
        if row.meta.is_some() {
            self.count = self.count.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(row.size());
        } else {
            self.hidden = self.hidden.saturating_sub(row.size());
        }
    }

    pub fn replace(&mut self, before: Option<&Row>, after: Option<&Row>) {
        before.inspect(|row| self.take(row));
        after.inspect(|row| self.add(row));
    }
}

impl ArtifactStore {
    /// How many artifacts there are, and the sum of their total sizes in bytes.
    ///
    /// # Errors
    /// Those of opening a deferred index.
    pub fn totals(&mut self) -> Result<(u64, u64)> {
        let totals = self.measure()?;
        Ok((totals.count, totals.bytes))
    }

    pub(super) fn measure(&mut self) -> Result<Totals> {
        let generation = self.index()?.generation();
        if let Some(totals) = self.totals.filter(|t| t.generation == generation) {
            return Ok(totals);
        }
        let mut totals = Totals { generation, ..Totals::default() };
        for (_, row) in self.rows()? {
            totals.add(&row);
        }
        self.totals = Some(totals);
        Ok(totals)
    }
}
