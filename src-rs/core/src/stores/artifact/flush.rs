//! Flushing: makes changes visible and durable, files first, then their rows in one batch.
//!
//! The order: append metadata to the payloads and sync them; unlink the files of removed rows; commit and
//! sync the rows; unlink files that others of the same key have replaced. A process that dies in between
//! leaves its marker, and the next open repairs what is half done.

use super::change::{Change, Origin};
use super::intent::Intent;
use super::payload::Payload;
use super::{ArtifactStore, PayloadInfo, Row, names};
use crate::error::{Error, Result};
use crate::shard::Patience;

impl ArtifactStore {
    /// Syncs every pending payload, unlinks the files of removed keys, then commits the rows as one batch
    /// and syncs them. What other processes flush in the meantime is kept.
    ///
    /// # Errors
    /// `LockTimeout`, `Io`, `NoSpace`; what was not flushed stays pending.
    pub fn flush(&mut self) -> Result<()> {
        if self.options.index.read_only || (self.changes.is_empty() && self.folder.pending().files == 0) {
            return Ok(());
        }
        self.load()?;
        self.evict_if_over()?;
        if self.intent.is_none() {
            self.intent = Some(Intent::declare(&self.storage, &self.temporary)?);
        }
        let mut keys: Vec<String> = self.changes.keys().cloned().collect();
        // In a fixed order, so that the same changes give the same bytes.
        keys.sort_unstable();
        let mut failed: Option<Error> = None;
        // A failure for one key must not keep the others from being flushed.
        keys.retain(|key| self.settle(key).map_err(|error| failed.get_or_insert(error)).is_ok());
        self.folder.sync()?;
        let mut unlinked = false;
        keys.retain(|key| match self.unlink_removed(key) {
            Ok(some) => {
                unlinked |= some;
                true
            }
            Err(error) => {
                failed.get_or_insert(error);
                false
            }
        });
        if unlinked {
            self.folder.sync()?;
        }
        let patience = Patience::of(&self.options.index);
        let left_over = self.commit(&keys, &patience)?;
        self.unlink_left_over(&left_over, &patience);
        keys.iter().for_each(|key| drop(self.changes.remove(key)));
        self.write_note();
        if self.changes.is_empty() {
            self.intent.take().into_iter().for_each(Intent::finish);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Flushes only the rows that a comparison has found or dropped.
    pub(super) fn flush_found(&mut self) -> Result<()> {
        let found = |change: &Change| change.origin != Origin::Own;
        let mut keys: Vec<String> =
            self.changes.iter().filter(|(_, change)| found(change)).map(|(key, _)| key.clone()).collect();
        keys.sort_unstable();
        self.folder.sync()?;
        self.commit(&keys, &Patience::of(&self.options.index))?;
        keys.iter().for_each(|key| drop(self.changes.remove(key)));
        Ok(())
    }

    /// Merges a change with what others have flushed since it was made, and appends its metadata to the
    /// payload.
    fn settle(&mut self, key: &str) -> Result<()> {
        let flushed = self.flushed_row(key)?;
        let Some(change) = self.changes.get_mut(key).filter(|change| change.origin == Origin::Own) else {
            return Ok(());
        };
        let known = flushed.as_ref().and_then(|row| row.payload);
        if let (Some(row), Some(flushed), false) = (&mut change.row, &flushed, change.severed) {
            // A half that the host has not given stays as it is flushed.
            if row.meta.is_none() && flushed.meta.is_some() {
                row.meta.clone_from(&flushed.meta);
                change.described = false;
                self.totals = None;
            }
            row.payload = row.payload.or(known);
        }
        let own = change.row.as_ref().and_then(|row| row.payload);
        change.doomed.extend(known.filter(|known| own.is_none_or(|own| own.leaves_files_of(known))));
        change.doomed.sort_unstable_by_key(|info| (info.set, info.packed, info.count));
        change.doomed.dedup_by(|a, b| a.same_files(b));
        match &change.row {
            Some(row) if !change.described => {
                let row = row.clone();
                self.describe(key, &row)?;
                if let Some(change) = self.changes.get_mut(key) {
                    change.described = true;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Appends the metadata to the payload, if there is one and it has other metadata.
    fn describe(&self, key: &str, row: &Row) -> Result<()> {
        let (Some(meta), Some(info)) = (&row.meta, &row.payload) else {
            return Ok(());
        };
        // If the file cannot be opened, only the index has the metadata.
        let Some((name, payload)) = self.main_file(key, info)? else {
            return Ok(());
        };
        let (last, end) = payload.last_row()?;
        let meta = meta.encode();
        if last.is_none_or(|last| last != meta) {
            let bytes = payload.append_row(end, &meta)?;
            self.folder.touch_pending(&name, bytes);
        }
        Ok(())
    }

    /// Withdraws the metadata of a payload: appends an empty row and syncs it.
    pub(super) fn renounce(&self, key: &str, info: &PayloadInfo) -> Result<()> {
        let Some((_, payload)) = self.main_file(key, info)? else {
            return Ok(());
        };
        let (_, end) = payload.last_row()?;
        payload.append_row(end, &Row::default().encode())?;
        payload.file().sync()
    }

    /// Opens the file of a payload that carries its metadata, for writing. `None` if that is not possible.
    fn main_file(&self, key: &str, info: &PayloadInfo) -> Result<Option<(String, Payload)>> {
        let name = names::file(&names::stem(key), main_part(info.packed));
        let Ok(Some(file)) = self.folder.open_write(&name) else {
            return Ok(None);
        };
        let ours = |p: &Payload| p.key == key && p.set == info.set && Some(p.producer) == self.producer();
        Ok(Payload::open(file)?.filter(ours).map(|payload| (name, payload)))
    }

    /// Unlinks the files of a removed key. Returns whether there were any.
    fn unlink_removed(&self, key: &str) -> Result<bool> {
        let removed = self.changes.get(key).filter(|change| change.row.is_none());
        let doomed = removed.map(|change| change.doomed.as_slice()).unwrap_or_default();
        doomed.iter().try_fold(false, |some, info| Ok(self.remove_files(key, info, None)? | some))
    }
}

/// The file of a payload that carries its metadata.
pub(super) fn main_part(packed: bool) -> names::Part {
    if packed { names::Part::Pack } else { names::Part::Output(0) }
}
