//! Making changes known and durable: files first, then their rows, in one batch.

use super::payload::{Payload, row_block};
use super::{ArtifactStore, Change, Row, intent, names};
use crate::error::Result;
use crate::shard::Job;

impl ArtifactStore {
    /// Unlinks the files of what was removed, syncs every payload that is pending, then commits the rows
    /// as one batch and syncs those. What others flush meanwhile is kept.
    ///
    /// # Errors
    /// `LockTimeout`, `Io`, `NoSpace`; what was not flushed stays to be flushed.
    pub fn flush(&mut self) -> Result<()> {
        if self.options.index.read_only || (self.changes.is_empty() && self.folder.pending().files == 0) {
            return Ok(());
        }
        self.load()?;
        self.evict_if_over()?;
        let mut keys: Vec<String> = self.changes.keys().cloned().collect();
        // The same changes give the same bytes.
        keys.sort_unstable();
        for key in &keys {
            self.settle_files(key)?;
        }
        self.folder.sync()?;
        self.commit(&keys)?;
        self.changes.clear();
        // One step further is our own batch, which the totals know of; more, and they are counted anew.
        let generation = self.index()?.generation();
        if let Some(totals) = self.totals.as_mut().filter(|t| t.generation.saturating_add(1) == generation) {
            totals.generation = generation;
        }
        self.intent = None;
        if std::mem::take(&mut self.compared) {
            // Without the note the next open looks through the folder, which costs time and nothing else.
            let _ = intent::note_compared(&self.storage, &self.temporary);
        }
        self.remember_uses();
        Ok(())
    }

    /// Brings the files of a changed key in line with the change.
    fn settle_files(&mut self, key: &str) -> Result<()> {
        match self.changes.get(key) {
            Some(Change::Removed) => {
                let known = self.flushed_row(key)?.and_then(|row| row.payload);
                self.remove_files(&names::stem(key), known)
            }
            Some(Change::Row { row, described: false }) => {
                let row = row.clone();
                self.describe(key, &row)?;
                if let Some(Change::Row { described, .. }) = self.changes.get_mut(key) {
                    *described = true;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Appends the metadata to the payload, if there is one.
    fn describe(&mut self, key: &str, row: &Row) -> Result<()> {
        let (Some(meta), Some(info)) = (&row.meta, &row.payload) else {
            return Ok(());
        };
        let name = names::file(&names::stem(key), main_part(info.packed));
        let Some(file) = self.folder.open_write(&name)? else {
            return Ok(());
        };
        let Some(payload) = Payload::open(file)? else {
            return Ok(());
        };
        let (last, end) = payload.last_row()?;
        let meta = meta.encode();
        if payload.key != key || last.is_some_and(|last| last == meta) {
            return Ok(());
        }
        let block = row_block(key, &meta);
        payload.file().write_at(&block, end)?;
        self.folder.touch_pending(&name, block.len() as u64);
        Ok(())
    }

    fn flushed_row(&mut self, key: &str) -> Result<Option<Row>> {
        Ok(self.index()?.read_quietly(key.as_bytes())?.and_then(|bytes| Row::decode(&bytes)))
    }

    fn commit(&mut self, keys: &[String]) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        let done = self.index().and_then(|index| {
            if !keys.is_empty() {
                index.merge_in(&Job::default(), |batch| {
                    keys.iter().try_for_each(|key| match changes.get(key) {
                        Some(Change::Row { row, .. }) => {
                            batch.put(key.as_bytes(), &[&row.encode()], Default::default())
                        }
                        _ => batch.delete(key.as_bytes()),
                    })
                })?;
            }
            index.flush()
        });
        self.changes = changes;
        done
    }
}

/// The file of a payload that carries its metadata.
pub(super) fn main_part(packed: bool) -> names::Part {
    if packed { names::Part::Pack } else { names::Part::Output(0) }
}
