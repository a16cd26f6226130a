//! Changes in memory, laid over the index until a flush.

use super::{ArtifactStore, PayloadInfo, Row};
use crate::error::Result;

/// What is to become of a key.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// Its row; none where it is removed.
    pub row: Option<Row>,
    /// Whether the payload carries this metadata already.
    pub described: bool,
    /// Which half the host is about to give, as far as can be told.
    pub awaits: Awaits,
    /// Who wants it.
    pub origin: Origin,
    /// Puts of the key whose files go with the flush.
    pub doomed: Vec<PayloadInfo>,
    /// Whether the key was removed meanwhile: what the index still has is no part of the new row.
    pub severed: bool,
}

/// What comes next in the host's order, which is outputs and then metadata, or the other way round. So
/// metadata of a put is not written to the files of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Metadata and outputs belong together.
    Nothing,
    /// Outputs were put since metadata was inserted.
    Meta,
    /// Metadata was inserted, and the outputs had theirs.
    Outputs,
}

/// Who wants a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The host.
    Own,
    /// Nobody: it was found in the folder. It counts only as long as the index says what it said then.
    Found {
        /// The row that the index had; none where it had none, or a damaged one.
        over: Option<Row>,
    },
}

impl ArtifactStore {
    /// The change of a key, unless it was found and the index has got to know better since.
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

    /// The same for every key.
    pub(super) fn yield_to_index(&mut self) -> Result<()> {
        let found = |change: &Change| matches!(change.origin, Origin::Found { .. });
        let found: Vec<String> =
            self.changes.iter().filter(|(_, change)| found(change)).map(|(key, _)| key.clone()).collect();
        found.iter().try_for_each(|key| self.changed(key).map(drop))
    }

    /// A change of the host's that takes the place of the one there is, and over its duties.
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

    /// Removes a key whose row speaks of these files.
    pub(super) fn doom(&mut self, key: &str, payload: Option<PayloadInfo>) -> Result<()> {
        let before = self.successor(key, Row::default());
        let mut change = Change { row: None, severed: true, awaits: Awaits::Nothing, ..before };
        change.doomed.extend(payload);
        self.uses.remove(key);
        self.change(key, change)
    }

    /// Notes a change, and what it does to the totals.
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
