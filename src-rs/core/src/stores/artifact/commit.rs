//! The last step of a flush. With the index's lock held, each change is compared with what other processes
//! have flushed since it was made; the changes that still count are published as one batch.

use super::change::{Change, Origin};
use super::{ArtifactStore, PayloadInfo, Row};
use crate::error::Result;
use crate::shard::{Batch, Job, Patience};

/// Least number of buckets in the recency table for each row.
const BUCKETS_PER_ROW: u64 = 4;

/// What becomes of a change.
enum Verdict<'c> {
    Put(&'c Row),
    Delete,
    /// The change is dropped, because another process has flushed something newer.
    Leave,
}

/// Puts of a key whose files may still exist.
pub(super) type LeftOver<'k> = (&'k str, Vec<PayloadInfo>);

impl ArtifactStore {
    /// Commits the changes of these keys durably, except those that others have overruled. Returns the puts
    /// whose files are useless now.
    pub(super) fn commit<'k>(
        &mut self,
        keys: &'k [String],
        patience: &Patience,
    ) -> Result<Vec<LeftOver<'k>>> {
        let (mut left_over, mut overruled) = (Vec::new(), false);
        // Taken out of `self`, so that the closure can use the rest of the store.
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
        // One generation more is our own batch, which the totals include. After any other change they must
        // be counted again.
        let generation = index.generation();
        self.totals =
            self.totals.filter(|totals| !overruled && totals.generation.saturating_add(1) == generation);
        if let Some(totals) = &mut self.totals {
            totals.generation = generation;
        }
        // Rows in one bucket share the time of their last use, so there are several buckets for each row.
        let buckets = index.len().saturating_mul(BUCKETS_PER_ROW);
        if buckets > self.buckets {
            self.buckets = buckets.saturating_mul(2);
            // Recency is best effort.
            let _ = index.fit_recency(self.buckets, patience);
        }
        self.index = Some(index);
        if first {
            self.remember_uses();
        }
        done.map(|()| left_over)
    }

    /// What becomes of a change. The lock is held, so `current` stays true; what other processes have put
    /// and flushed since the change was made is newer than the change.
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
                    // Files that cannot be read now may be readable later.
                    Err(_) | Ok(true) => Verdict::Put(row),
                    // Another process has put the key since.
                    Ok(false) if files.is_some_and(|files| !files.same_files(info)) => Verdict::Leave,
                    Ok(false) => Verdict::Delete,
                }
            }
        }
    }

    /// Unlinks the files that a commit has made useless. The index's lock is held: otherwise a process that
    /// puts the same outputs again could lose its files between its check of them and its commit. A later
    /// comparison finds files that stay.
    ///
    /// If a file cannot be unlinked, its metadata is withdrawn, so that no row is rebuilt from it even if the
    /// newer put is lost.
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

/// The puts whose files a verdict makes useless. Those of a removed key have been unlinked already.
fn left_over_by(change: &Change, current: Option<&Row>, verdict: &Verdict<'_>) -> Vec<PayloadInfo> {
    if change.origin != Origin::Own || matches!((verdict, &change.row), (Verdict::Delete, None)) {
        return Vec::new();
    }
    let mut left = change.doomed.clone();
    match verdict {
        Verdict::Put(row) => {
            // Another process may have committed this put after the change was made.
            let replaced = current.and_then(|row| row.payload);
            let leaves = |info: &PayloadInfo| row.payload.is_none_or(|now| now.leaves_files_of(info));
            left.extend(replaced.filter(leaves));
        }
        Verdict::Delete | Verdict::Leave => left.extend(change.row.as_ref().and_then(|row| row.payload)),
    }
    left
}
