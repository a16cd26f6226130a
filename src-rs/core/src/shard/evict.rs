//! `evictStale`: dropping entries that cannot be hits again.

use super::list::whole_record;
use super::{Job, Shard};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::frame::{HEAD_LEN, Head};
use crate::key;
use crate::kind::Kind;
use crate::validator::{Validator, decode, source_digest};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

impl Shard {
    /// Drops expired entries, other producers' entries, and entries whose key is the absolute path of a
    /// source that is gone or has changed since, as the validator shows. Returns how many were dropped.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`, `Aborted`; then nothing is dropped.
    pub fn evict_stale(&mut self, job: &Job) -> Result<u64> {
        if self.options.read_only {
            return Err(Error::ReadOnly(self.path.clone()));
        }
        let offsets = self.live_offsets()?;
        job.expect(offsets.len() as u64);
        let mut doomed = Vec::new();
        for offset in offsets {
            job.step()?;
            doomed.extend(self.is_stale(offset));
        }
        self.could_read()?;
        let patience = self.patience();
        let dropped = self.delete_places(&doomed, &Job::default(), &patience)?;
        self.changes.evictions.add(dropped);
        self.compact_in_background(&patience);
        Ok(dropped)
    }

    /// Stored key, producer and place of an entry that is stale.
    fn is_stale(&mut self, offset: u64) -> Option<(Vec<u8>, u64, u64)> {
        let state = self.state.as_deref()?;
        let (head, frame) = whole_record(state, offset, &mut self.scratch)?;
        let layout = head.layout();
        let stored = frame.get(HEAD_LEN..layout.key_end)?;
        let validator = frame.get(layout.key_end..layout.validator_end)?;
        let producer = head.producer.get();
        let expires = head.expires_ms.get();
        let stale = (expires != 0 && expires <= now_ms())
            // Without an identified producer, other producers' entries cannot be told apart.
            || self.options.producer.id().is_some_and(|own| own != producer)
            || key::shown(stored, self.options.root.as_ref())
                .is_some_and(|key| source_is_stale(&key, &head, validator, self.options.kind));
        stale.then(|| (stored.to_vec(), producer, offset))
    }
}

/// Whether a key is the path of a source that is gone or has changed.
fn source_is_stale(key: &str, head: &Head, validator: &[u8], kind: Kind) -> bool {
    let Some(wanted) = decode(head.validator_kind, validator) else {
        return true;
    };
    let path = Path::new(key);
    if matches!(wanted, Validator::None) || !path.is_absolute() {
        return false;
    }
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        // Only if it is certainly gone: if a folder cannot be searched now, the source may still exist.
        Err(e) => {
            return matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory);
        }
    };
    let (sec, nsec, size) = match wanted {
        Validator::Mtime { sec, nsec, size } => (sec, nsec, size),
        // Only in a script cache is the digest known to be of the source's content.
        Validator::Digest(digest) if kind == Kind::Script => {
            return crate::state::source_digest_of(path).is_some_and(|now| now != *digest);
        }
        _ => return false,
    };
    let same_time = meta.mtime() == sec && meta.mtime_nsec() == i64::from(nsec);
    if !same_time || size.is_some_and(|s| s != meta.len()) {
        return true;
    }
    match source_digest(head.validator_kind, validator) {
        Some(digest) => crate::state::source_digest_of(path).is_some_and(|now| now != *digest),
        None => false,
    }
}
