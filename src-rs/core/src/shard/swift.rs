//! The swift lock of a single put or delete: only the shard file is locked, mostly without checking paths.
//!
//! A writer that replaces or recovers a file holds the sidecar's lock *and* the file's. To append one frame
//! to a file that is in the state this handle knows, the file's lock is enough. If the file was deleted or
//! replaced, the open file has no name any more. If it was *moved away*, only a check of its path shows that,
//! and paths are checked once in `IDENTITY_CHECK_MS`. So what was put between two checks may be in a file that
//! is no longer the shard. A flush first checks the path, and puts such entries again.

use super::compact::{CompactReport, copy_tail};
use super::{Patience, Shard};
use crate::error::{Error, Result};
use crate::limits::IDENTITY_CHECK_MS;
use crate::state::State;
use crate::storage::Identity;

/// What a handle remembers about checks of the paths.
#[derive(Debug, Default)]
pub(super) struct Swift {
    /// When the open files were last found at their paths, under the full lock.
    looked_ms: Option<u64>,
    /// Where the frames begin that were appended since then.
    unseen_from: Option<u64>,
    /// A file that may have been moved away, and where such frames begin in it.
    adrift: Option<(Box<State>, u64)>,
}

impl Swift {
    /// Forgets the frames that were appended since the last check: they need not be put again.
    pub fn forget(&mut self) {
        self.unseen_from = None;
        self.adrift = None;
    }

    /// Notes that this file is at the path. If it is the one that may have been moved away, it was not, and its frames
    /// need not be put again. This must be noted at once: if the file is replaced later, putting its frames again
    /// would bring back what the new file was meant to drop.
    pub fn found(&mut self, at_path: &Identity) {
        if self.adrift.as_ref().is_some_and(|(old, _)| old.identity.same_file(at_path)) {
            self.adrift = None;
        }
    }
}

impl Shard {
    /// Runs a change of one frame with the shard file's lock if that is enough, otherwise with the full lock.
    pub(super) fn in_swift_lock<T>(
        &mut self,
        patience: &Patience,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let Some(end) = self.lock_swiftly()? else {
            self.lock(patience)?;
            let done = change(self);
            self.unlock();
            return done;
        };
        let done = change(self);
        let Some(state) = self.state.as_deref() else { return done };
        if state.end != end {
            self.swift.unseen_from.get_or_insert(end);
        }
        state.view.file().unlock();
        if self.sidecar.as_ref().is_some_and(|s| !state.epoch.is_some_and(|epoch| s.is_still(epoch))) {
            self.mend(patience);
        }
        done
    }

    /// Takes the shard file's lock, if it is free and enough. Returns the file's end, or `None` if it was not taken.
    fn lock_swiftly(&self) -> Result<Option<u64>> {
        let (Some(state), Some(sidecar), Some(looked_ms)) =
            (self.state.as_deref(), &self.sidecar, self.swift.looked_ms)
        else {
            return Ok(None);
        };
        // If each put must survive a power cut, it must be certain that it is in the file at the path. And a file that
        // cannot be mapped may be on a file system that does not report reliably whether the file has a name.
        let careful = self.options.sync_each || !state.view.is_mapped();
        if careful || self.storage.ticks_ms().saturating_sub(looked_ms) >= IDENTITY_CHECK_MS {
            return Ok(None);
        }
        let file = state.view.file();
        if sidecar.is_turn_taken() || !file.try_lock()? {
            return Ok(None);
        }
        let as_known = || -> Result<bool> {
            let there = file.identity()?;
            Ok(there.named
                && there.len == state.end
                && sidecar.generation() == self.known
                && sidecar.is_settled()
                && Some(sidecar.epoch()) == state.epoch
                && sidecar.file().identity()?.named)
        };
        let known = as_known();
        if !matches!(known, Ok(true)) {
            file.unlock();
        }
        Ok(known?.then_some(state.end))
    }

    /// Notes that the full lock was taken, which has checked both paths.
    pub(super) fn looked(&mut self) {
        self.swift.looked_ms = Some(self.storage.ticks_ms());
        self.swift.unseen_from = None;
        if let Some(state) = &self.state {
            self.swift.found(&state.identity);
        }
    }

    /// Repairs the page after another file was published while this handle published a frame: its words may
    /// now be about both files. This is possible only if the old file had been moved away; otherwise the other
    /// writer would have waited for the old file's lock.
    #[cold]
    fn mend(&mut self, patience: &Patience) {
        let Some(sidecar) = &self.sidecar else { return };
        // If the lock cannot be taken, its holder will find that page and file disagree.
        if self.wait_for(sidecar, patience).is_ok() {
            sidecar.doubt();
            sidecar.file().unlock();
        }
        self.know(u64::MAX);
        let _ = self.in_lock(patience, |_| Ok(()));
    }

    /// Stops using a file, but keeps it in `adrift` if frames were appended since it was last found at the path.
    pub(super) fn let_go(&mut self) {
        self.end_era();
        let from = self.swift.unseen_from.take();
        let Some(state) = self.state.take() else { return };
        // A lent window keeps the file open, and with it any lock that is not released.
        state.view.file().unlock();
        // Each of those puts has checked that the file has a name. If it has none now, it was deleted or replaced after
        // them, and they need not be put again.
        let named = || state.view.file().identity().is_ok_and(|i| i.named);
        if let Some(from) = from.filter(|from| self.swift.adrift.is_none() && *from < state.end && named()) {
            self.swift.adrift = Some((state, from));
        }
    }

    /// Makes sure that what this handle has put is in the file at the path. If the file that it was written to was
    /// moved away, it is put again.
    ///
    /// # Errors
    /// `LockTimeout`, `Io`, `NoSpace`.
    pub fn anchor(&mut self) -> Result<()> {
        self.anchor_within(&self.patience())
    }

    /// The same as part of a longer call.
    pub(super) fn anchor_within(&mut self, patience: &Patience) -> Result<()> {
        if self.swift.adrift.is_none() {
            if self.swift.unseen_from.is_none() {
                return Ok(());
            }
            let there = self.storage.identity(&self.path)?;
            if self.state.as_ref().zip(there).is_some_and(|(s, t)| s.identity.same_file(&t)) {
                return Ok(());
            }
        }
        self.in_lock(patience, Self::put_again)
    }

    #[cold]
    fn put_again(&mut self) -> Result<()> {
        let Some((old, from)) = self.swift.adrift.take() else { return Ok(()) };
        self.ensure_file()?;
        let generation = self.next_generation();
        let Some(new) = self.state.as_deref_mut() else { return Ok(()) };
        if new.header.digest.trailer_len() != old.header.digest.trailer_len() {
            return Err(Error::io("rename", &self.path, std::io::ErrorKind::NotFound.into()));
        }
        let end = new.end;
        let done = copy_tail(&old, from, generation, new, &mut CompactReport::default(), &mut self.scratch);
        match done {
            Ok(frames) => self.finish_append(end, frames),
            Err(error) => {
                self.take_back(end);
                self.swift.adrift = Some((old, from));
                Err(error)
            }
        }
    }
}
