//! Making what is published survive a power cut.

use super::{Durability, Job, Patience, Shard};
use crate::error::{Error, Result};
use crate::header::Root;
use crate::limits::{HEADER_LEN, MAX_SIDECAR_RETRIES};
use crate::sidecar::{Durable, Sidecar};

impl Shard {
    /// Syncs everything published so far, by any process, and notes it in a root slot.
    ///
    /// After a sync has failed once, what the disk holds is unknown and a later success proves
    /// nothing; then all live entries are written anew.
    ///
    /// # Errors
    /// `LockTimeout`, `Io`, `NoSpace`; what was not flushed before must count as not flushed.
    pub fn flush(&mut self) -> Result<()> {
        self.flush_within(&self.patience())
    }

    /// The same as part of a longer call.
    pub(crate) fn flush_within(&mut self, patience: &Patience) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.must_catch_up()?;
        self.changes.flushes.add(u64::from(self.state.is_some()));
        for _ in 0..MAX_SIDECAR_RETRIES {
            self.anchor_within(patience)?;
            let Some(state) = &self.state else { return Ok(()) };
            let durable = self.sidecar.as_ref().zip(state.epoch).and_then(|(s, epoch)| s.durable_in(epoch));
            self.sidecar.as_ref().map_or(Ok(()), Sidecar::could_reach)?;
            match durable {
                Some(durable) if durable.sync_failed || self.untold_failure => {
                    if self.compact_within(&Job::default(), patience)?.replaced {
                        return Ok(());
                    }
                }
                Some(durable) => return self.flush_from(&durable, patience),
                // The page speaks of another file, or nobody speaks for ours: the lock brings the two together.
                None => self.in_lock(patience, |_| Ok(()))?,
            }
        }
        Err(Error::LockTimeout { path: self.path.clone(), waited_ms: self.options.lock_timeout_ms })
    }

    fn flush_from(&mut self, durable: &Durable, patience: &Patience) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        if durable.bytes >= state.end && !durable.dir_pending {
            return Ok(());
        }
        let (id, epoch, target) = (state.header.shard_id, state.epoch, state.published());
        self.sync_bytes()?;
        if durable.dir_pending {
            self.storage.sync_dir(self.dir())?;
        }
        self.in_lock(patience, |shard| {
            // A file that came in the meantime was synced before it was put in place, and one that was recovered
            // speaks for itself.
            if shard.state.as_ref().is_some_and(|s| s.header.shard_id == id && s.epoch == epoch) {
                shard.write_root(&Root {
                    sequence: 0,
                    generation: target.generation,
                    committed: target.committed,
                    snapshot: target.snapshot,
                })?;
                shard.note_durable_to(target.committed, durable.appended);
            }
            Ok(())
        })
    }

    /// Syncs the file and, where its name is new, the folder.
    pub(super) fn sync_file(&mut self) -> Result<()> {
        self.sync_bytes()?;
        if self.sidecar.as_ref().is_some_and(|s| s.durable().dir_pending) {
            self.storage.sync_dir(self.dir())?;
        }
        Ok(())
    }

    fn sync_bytes(&mut self) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        if let Err(error) = state.view.file().sync() {
            self.untold_failure = true;
            self.tell_of_failure();
            return Err(error);
        }
        Ok(())
    }

    /// Others must know that a sync failed, for theirs will succeed. Where the page cannot be written now, it is tried again
    /// at the next lock and at the end.
    pub(super) fn tell_of_failure(&mut self) {
        if !self.untold_failure {
            return;
        }
        let Some(sidecar) = &self.sidecar else { return };
        let _ = sidecar.could_reach();
        sidecar.note_failed_sync();
        self.untold_failure = sidecar.could_reach().is_err();
    }

    pub(super) fn write_root(&mut self, root: &Root) -> Result<()> {
        let Some(state) = self.state.as_deref_mut() else {
            return Ok(());
        };
        let mut block = vec![0; usize::try_from(HEADER_LEN).unwrap_or(0)];
        let file = state.view.file();
        file.read_at(&mut block, 0)?;
        let newest = Root::decode_all(&block, state.sealer.seed()).first().copied();
        if newest.is_some_and(|n| n.committed >= root.committed && n.committed <= state.end) {
            // Another flush got further meanwhile.
            return Ok(());
        }
        let root = Root { sequence: newest.map_or(0, |r| r.sequence).saturating_add(1), ..*root };
        file.write_at(&root.encode(state.sealer.seed()), root.offset())?;
        state.root = Some(root);
        Ok(())
    }

    /// After a sync under the lock: all that is published is durable.
    pub(super) fn note_durable(&mut self) {
        let Some((end, appended)) =
            self.state.as_ref().zip(self.sidecar.as_ref()).map(|(s, c)| (s.end, c.durable().appended))
        else {
            return;
        };
        self.note_durable_to(end, appended);
    }

    fn note_durable_to(&mut self, bytes: u64, appended: u64) {
        let Some(sidecar) = &self.sidecar else { return };
        let mut durable = sidecar.durable();
        durable.bytes = durable.bytes.max(bytes);
        durable.durable_appended = durable.durable_appended.max(appended);
        durable.dir_pending = false;
        // Of a page that could not be read nobody knows whether a sync has failed.
        if sidecar.could_reach().is_ok() {
            sidecar.store_durable(&durable);
        }
    }

    /// What a power cut now might cost.
    #[must_use]
    pub fn durability(&mut self) -> Durability {
        self.catch_up();
        let Some(state) = &self.state else {
            return Durability { durable: true, ..Durability::default() };
        };
        match &self.sidecar {
            Some(sidecar) => {
                let d = sidecar.durable();
                let pending_bytes = state.end.saturating_sub(d.bytes.max(HEADER_LEN));
                Durability {
                    pending_entries: d.appended.saturating_sub(d.durable_appended),
                    pending_bytes,
                    durable: pending_bytes == 0 && !d.sync_failed && !d.dir_pending,
                }
            }
            None => {
                let synced = state.root.map_or(0, |r| r.committed);
                let pending_bytes = state.end.saturating_sub(synced.max(HEADER_LEN));
                Durability { pending_entries: 0, pending_bytes, durable: pending_bytes == 0 }
            }
        }
    }

    /// Ends the use of this handle. A writer leaves a short tail behind for those who open next.
    pub fn close(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.background.cancel();
        self.tell_of_failure();
        if !self.wrote {
            return;
        }
        self.wrote = false;
        // Whoever removed our files does not want them back.
        let lock = self.storage.identity(&self.lock_path).ok().flatten();
        if self.sidecar.as_ref().is_none_or(|s| s.is_replaced_by(lock)) {
            return;
        }
        let long = self.state.as_ref().is_some_and(|s| s.tail.len() >= crate::limits::TAIL_ENTRIES_AT_CLOSE);
        if long {
            // Only a courtesy: somebody else's lock, or a full disk, changes nothing.
            let _: std::result::Result<(), Error> = self.in_lock(&Patience::none(), Self::write_snapshot);
        }
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.finish();
    }
}
