//! The lock of a single put or delete: the shard file's alone, and most of the time without a look at paths.
//!
//! Whoever replaces or recovers a file holds the sidecar's lock *and* the file's. To append one frame
//! to a file that is as this handle knows it, the latter is enough. That the file was deleted or replaced
//! shows in the open file, which has lost its name. That it was *moved away* shows at its path only, and
//! paths are looked at once in `IDENTITY_CHECK_MS`. What was put between two looks may therefore lie in
//! a file that is no longer the shard; a flush puts it again before it promises anything.

use super::compact::{CompactReport, copy_tail};
use super::{Patience, Shard};
use crate::error::{Error, Result};
use crate::limits::IDENTITY_CHECK_MS;
use crate::state::State;
use crate::storage::Identity;

/// What a handle must know to do without looking at paths.
#[derive(Debug, Default)]
pub(super) struct Swift {
    /// When a lock last found our files at their paths.
    looked_ms: Option<u64>,
    /// Where the frames begin that were appended since.
    unseen_from: Option<u64>,
    /// A file that is no longer at the path, and where such frames begin in it.
    adrift: Option<(Box<State>, u64)>,
}

impl Swift {
    /// What was put without a look need not be put again.
    pub fn forget(&mut self) {
        self.unseen_from = None;
        self.adrift = None;
    }

    /// This file is at the path: what was put into it is where it belongs. Forgotten at once, for somebody may
    /// replace it a moment later, and then what he did away with must not be put again.
    pub fn found(&mut self, at_path: &Identity) {
        if self.adrift.as_ref().is_some_and(|(old, _)| old.identity.same_file(at_path)) {
            self.adrift = None;
        }
    }
}

impl Shard {
    /// Runs a change of one frame with the lock held that it needs.
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

    /// Takes the shard file's lock, if that is free and enough. Returns where the file ends.
    fn lock_swiftly(&self) -> Result<Option<u64>> {
        let (Some(state), Some(sidecar), Some(looked_ms)) =
            (self.state.as_deref(), &self.sidecar, self.swift.looked_ms)
        else {
            return Ok(None);
        };
        // Who promises that each put survives a power cut must know where it goes. And where a file cannot be
        // mapped, it need not tell the truth about its names either.
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

    /// Takes note that the lock was taken with a look at both paths.
    pub(super) fn looked(&mut self) {
        self.swift.looked_ms = Some(self.storage.ticks_ms());
        self.swift.unseen_from = None;
        if let Some(state) = &self.state {
            self.swift.found(&state.identity);
        }
    }

    /// Another file was put in place while a frame was published: the page may speak of both now. Only
    /// after the old one had been moved away can that be, for else who did it would have waited for us.
    #[cold]
    fn mend(&mut self, patience: &Patience) {
        let Some(sidecar) = &self.sidecar else { return };
        // Where the lock cannot be had, whoever has it finds page and file at odds.
        if self.wait_for(sidecar, patience).is_ok() {
            sidecar.doubt();
            sidecar.file().unlock();
        }
        self.know(u64::MAX);
        let _ = self.in_lock(patience, |_| Ok(()));
    }

    /// Stops using a file, but keeps what nobody may have seen of it at the path.
    pub(super) fn let_go(&mut self) {
        self.end_era();
        let from = self.swift.unseen_from.take();
        let Some(state) = self.state.take() else { return };
        // A lent window keeps the file open, and with it a lock that was not given back.
        state.view.file().unlock();
        // A file without a name was deleted or replaced after those puts, which had looked for the name.
        let named = || state.view.file().identity().is_ok_and(|i| i.named);
        if let Some(from) = from.filter(|from| self.swift.adrift.is_none() && *from < state.end && named()) {
            self.swift.adrift = Some((state, from));
        }
    }

    /// Makes sure that what this handle has put lies in the file at the path: puts it there again, if the
    /// file that it went to was moved away.
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
