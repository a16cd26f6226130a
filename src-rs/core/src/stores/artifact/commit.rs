//! The last step of a flush: the index's lock is taken, each change is held against what others have
//! flushed since it was made, and what still counts is published as one batch.

use super::change::{Change, Origin};
use super::{ArtifactStore, PayloadInfo, Row};
use crate::error::Result;
use crate::shard::{Batch, Job, Patience};

/// Buckets that the recency table has for each row, at least.
const BUCKETS_PER_ROW: u64 = 4;

/// What becomes of a change.
enum Verdict<'c> {
    Put(&'c Row),
    Delete,
    /// Others know better.
    Leave,
}

/// Puts of a key of which files may still lie there.
pub(super) type LeftOver<'k> = (&'k str, Vec<PayloadInfo>);

impl ArtifactStore {
    /// Commits all changes but those that others have overruled, and durably. Returns whose files are of no
    /// use now.
    pub(super) fn commit<'k>(
        &mut self,
        keys: &'k [String],
        patience: &Patience,
    ) -> Result<Vec<LeftOver<'k>>> {
        let (mut left_over, mut overruled) = (Vec::new(), false);
        // Taken out, so that the rest of the store may be looked at with the index's lock held.
        let Some(mut index) = self.index.take_if(|_| !keys.is_empty()) else { return Ok(left_over) };
        let first = !index.has_file();
        let done = index.merge_within(patience, &Job::default(), |batch| {
            for (key, change) in keys.iter().filter_map(|key| Some((key, self.changes.get(key)?))) {
                let current = current(batch, key)?;
                let verdict = self.verdict(key, change, current.as_ref());
                let left = left_over_by(change, current.as_ref(), &verdict);
                if !left.is_empty() {
                    left_over.push((key.as_str(), left));
                }
                match verdict {
                    Verdict::Put(row) => batch.put(key.as_bytes(), &[&row.encode()], Default::default())?,
                    Verdict::Delete => batch.delete(key.as_bytes())?,
                    Verdict::Leave => {}
                }
                overruled |= change.row.is_some() != matches!(verdict, Verdict::Put(_));
            }
            Ok(())
        });
        let done = done.and_then(|_| index.flush_within(patience));
        // One step further is our own batch, which the totals know of; more, and they are counted anew.
        let generation = index.generation();
        self.totals =
            self.totals.filter(|totals| !overruled && totals.generation.saturating_add(1) == generation);
        if let Some(totals) = &mut self.totals {
            totals.generation = generation;
        }
        // Rows that share a bucket share their last use.
        let buckets = index.len().saturating_mul(BUCKETS_PER_ROW);
        if buckets > self.buckets {
            self.buckets = buckets.saturating_mul(2);
            // Recency is a help, not a promise.
            let _ = index.fit_recency(self.buckets, patience);
        }
        self.index = Some(index);
        if first {
            self.remember_uses();
        }
        done.map(|()| left_over)
    }

    /// What becomes of a change, now that nobody else can change the index: what other processes have put
    /// and flushed since it was made is newer.
    fn verdict<'c>(&self, key: &str, change: &'c Change, current: Option<&Row>) -> Verdict<'c> {
        let files = current.and_then(|row| row.payload);
        match (&change.origin, &change.row) {
            (Origin::Found { over }, _) if over.as_ref() != current => Verdict::Leave,
            (Origin::Found { .. }, None) => {
                let back = files.is_some_and(|files| self.has_files(key, &files).unwrap_or(true));
                if back { Verdict::Leave } else { Verdict::Delete }
            }
            (Origin::Own, None) => {
                let gone = |files: PayloadInfo| change.doomed.iter().any(|doomed| doomed.same_files(&files));
                if files.is_none_or(gone) { Verdict::Delete } else { Verdict::Leave }
            }
            (_, Some(row)) => {
                let Some(info) = &row.payload else { return Verdict::Put(row) };
                match self.has_files(key, info) {
                    // What cannot be read now may be read later.
                    Err(_) | Ok(true) => Verdict::Put(row),
                    // Somebody else has put the key since.
                    Ok(false) if files.is_some_and(|files| !files.same_files(info)) => Verdict::Leave,
                    Ok(false) => Verdict::Delete,
                }
            }
        }
    }

    /// Unlinks what a commit has left of no use. With the lock held: else a process that puts the same
    /// outputs once more might lose its files between its look at them and its commit. What stays is
    /// found by a later comparison.
    ///
    /// What cannot be unlinked is at least not found for what its key has, whatever becomes of the newer put.
    pub(super) fn unlink_left_over(&mut self, left_over: &[LeftOver<'_>], patience: &Patience) {
        let Some(mut index) = self.index.take_if(|_| !left_over.is_empty()) else { return };
        let _ = index.merge_within(patience, &Job::default(), |batch| {
            for (key, left) in left_over {
                let now = current(batch, key)?.and_then(|row| row.payload);
                for info in left.iter().filter(|info| !now.is_some_and(|now| now.same_files(info))) {
                    if self.remove_files(key, info, now).is_err() {
                        let _ = self.renounce(key, info);
                    }
                }
            }
            Ok(())
        });
        self.index = Some(index);
    }
}

fn current(batch: &Batch<'_, '_>, key: &str) -> Result<Option<Row>> {
    Ok(batch.read(key.as_bytes())?.and_then(|bytes| Row::decode(&bytes)))
}

/// The puts whose files a verdict makes useless. Those of a removed key were unlinked before.
fn left_over_by(change: &Change, current: Option<&Row>, verdict: &Verdict<'_>) -> Vec<PayloadInfo> {
    if change.origin != Origin::Own || matches!((verdict, &change.row), (Verdict::Delete, None)) {
        return Vec::new();
    }
    let mut left = change.doomed.clone();
    match verdict {
        Verdict::Put(row) => {
            // Another process may have committed it a moment ago.
            let replaced = current.and_then(|row| row.payload);
            let leaves = |info: &PayloadInfo| row.payload.is_none_or(|now| now.leaves_files_of(info));
            left.extend(replaced.filter(leaves));
        }
        Verdict::Delete | Verdict::Leave => left.extend(change.row.as_ref().and_then(|row| row.payload)),
    }
    left
}
