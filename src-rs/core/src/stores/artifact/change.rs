//! Changes in memory, which take precedence over the index until they are flushed.

use super::{ArtifactStore, PayloadInfo, Row};
use crate::error::Result;

/// A change of one key that is not flushed yet.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The new row; `None` if the key is removed.
    pub row: Option<Row>,
    /// Whether the payload carries this metadata already.
    pub described: bool,
    /// Which half of an artifact the host is expected to give next.
    pub awaits: Awaits,
    /// Where the change comes from.
    pub origin: Origin,
    /// Earlier puts of the key, whose files the flush unlinks.
    pub doomed: Vec<PayloadInfo>,
    /// Whether the key was removed since the last flush. Then the new row takes nothing over from the row
    /// that is still in the index.
    pub severed: bool,
}

/// Which half of an artifact is expected next. A host gives outputs and then metadata, or the other way
/// round; this keeps the metadata of one put out of the files of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// None: metadata and outputs belong together.
    Nothing,
    /// Metadata: outputs were put after the metadata was inserted.
    Meta,
    /// Outputs: metadata was inserted whose outputs have not been put yet.
    Outputs,
}

/// Where a change comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The host.
    Own,
    /// A comparison of the folder with the index. It counts only while the index still has the same row.
    Found {
        /// The row that the index had; `None` if it had none or a damaged one.
        over: Option<Row>,
    },
}

impl ArtifactStore {
    /// The pending change of a key. Drops a found change if the index has another row by now.
    pub(super) fn changed(&mut self, key: &str) -> Result<Option<&Change>> {
        if let Some(Change { origin: Origin::Found { over }, .. }) = self.changes.get(key) {
            let over = over.clone();
            if self.flushed_row(key)? != over {
                self.changes.remove(key);
                self.totals = None;
            }
        }
        Ok(self.changes.get(key))
    }

    /// Drops every found change for which the index has another row by now.
    pub(super) fn yield_to_index(&mut self) -> Result<()> {
        let found = |change: &Change| matches!(change.origin, Origin::Found { .. });
        let found: Vec<String> =
            self.changes.iter().filter(|(_, change)| found(change)).map(|(key, _)| key.clone()).collect();
        found.iter().try_for_each(|key| self.changed(key).map(drop))
    }

    /// A change by the host that replaces the pending one, and takes over the files it has to unlink.
    pub(super) fn successor(&self, key: &str, row: Row) -> Change {
        let before = self.changes.get(key);
        Change {
            row: Some(row),
            described: false,
            awaits: before.map_or(Awaits::Nothing, |change| change.awaits),
            origin: Origin::Own,
            doomed: before.map(|change| change.doomed.clone()).unwrap_or_default(),
            severed: before.is_some_and(|change| change.severed),
        }
    }

    /// Marks a key as removed, and the files of `payload` as to be unlinked.
    pub(super) fn doom(&mut self, key: &str, payload: Option<PayloadInfo>) -> Result<()> {
        let before = self.successor(key, Row::default());
        let mut change = Change { row: None, severed: true, awaits: Awaits::Nothing, ..before };
        change.doomed.extend(payload);
        self.uses.remove(key);
        self.change(key, change)
    }

    /// Sets the pending change of a key, and updates the totals.
    pub(super) fn change(&mut self, key: &str, change: Change) -> Result<()> {
        if self.totals.is_some() {
            let before = self.row(key)?;
            if let Some(totals) = &mut self.totals {
                totals.replace(before.as_ref(), change.row.as_ref());
            }
        }
        self.changes.insert(key.to_owned(), change);
        Ok(())
    }
}
