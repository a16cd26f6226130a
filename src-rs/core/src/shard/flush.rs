//! Flushing: making what is published survive a power cut.

use super::{Durability, Job, Patience, Shard};
use crate::error::{Error, Result};
use crate::header::Root;
use crate::limits::{HEADER_LEN, MAX_SIDECAR_RETRIES};
use crate::sidecar::{Durable, Sidecar};

impl Shard {
    /// Syncs everything published so far, by any process, and notes it in a root slot.
    ///
    /// After a sync has failed, it is unknown what the disk holds, and a later success proves nothing.
    /// Then all live entries are written to a new file.
    ///
    /// # Errors
    /// `LockTimeout`, `Io`, `NoSpace`; then what was not flushed before may still not be durable.
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
                // The page is about another file, or no valid page is about this one. Taking the lock settles that.
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
            // A file that was put in place meanwhile was synced before, and a recovery publishes what is durable
            // itself.
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

    /// Syncs the file and, if its name is not durable yet, the folder.
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

    /// Notes in the page that a sync failed, because a later sync of another process would succeed and prove nothing. If the
    /// page cannot be written, the next lock tries again, and so does closing.
    pub(super) fn tell_of_failure(&mut self) {
        if !self.untold_failure {
            return;
        }
        let Some(sidecar) = &self.sidecar else { return };
        let _ = sidecar.could_reach();
        sidecar.note_failed_sync();
        self.untold_failure = sidecar.could_reach().is_err();
    }

    /// Writes the next root slot. Its sequence number is set here. The caller holds the lock.
    pub(super) fn write_root(&mut self, root: &Root) -> Result<()> {
        let Some(state) = self.state.as_deref_mut() else {
            return Ok(());
        };
        let mut block = vec![0; usize::try_from(HEADER_LEN).unwrap_or(0)];
        let file = state.view.file();
        file.read_at(&mut block, 0)?;
        let newest = Root::decode_all(&block, state.sealer.seed()).first().copied();
        if newest.is_some_and(|n| n.committed >= root.committed && n.committed <= state.end) {
            // Another flush has reached as far or farther meanwhile.
            return Ok(());
        }
        let root = Root { sequence: newest.map_or(0, |r| r.sequence).saturating_add(1), ..*root };
        file.write_at(&root.encode(state.sealer.seed()), root.offset())?;
        state.root = Some(root);
        Ok(())
    }

    /// Records, after a sync under the lock, that everything published is durable.
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
        // If the page could not be read, it is unknown whether a sync has failed.
        if sidecar.could_reach().is_ok() {
            sidecar.store_durable(&durable);
        }
    }

    /// What a power cut could lose now.
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

    /// Closes this handle. If it has written and the tail is long, it first writes an index snapshot, so that
    /// later handles open faster.
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
        // If the files were removed, they must not be created again.
        let lock = self.storage.identity(&self.lock_path).ok().flatten();
        if self.sidecar.as_ref().is_none_or(|s| s.is_replaced_by(lock)) {
            return;
        }
        let long = self.state.as_ref().is_some_and(|s| s.tail.len() >= crate::limits::TAIL_ENTRIES_AT_CLOSE);
        if long {
            // Best effort: it is skipped if the lock is not free, and a full disk is no reason to fail.
            let _: std::result::Result<(), Error> = self.in_lock(&Patience::none(), Self::write_snapshot);
        }
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.finish();
    }
}
