//! The exclusive lock, and what a writer must know before it changes anything.
//!
//! The lock is a `flock` on the sidecar. A user may delete that file, and then two writers could hold
//! two locks. So after locking, the file at the sidecar's path must still be the locked one. The shard
//! file is locked as well: this excludes a writer that has made a new sidecar meanwhile, and writers that
//! append a single frame with only the shard file's lock (swift.rs).

use super::{Patience, Shard};
use crate::error::{Error, Result};
use crate::header::Root;
use crate::limits::{HEADER_LEN, MAX_GIVE_WAY_MS, MAX_LOCK_BACKOFF_US, MAX_SIDECAR_RETRIES, MAX_SWEEP};
use crate::sidecar::{Durable, Published, Sidecar};
use crate::state::State;
use crate::storage::{File, Open};
use std::time::{Duration, Instant};

impl Shard {
    /// Takes the lock on a sidecar, waiting for it as long as `patience` allows.
    pub(super) fn wait_for(&self, sidecar: &Sidecar, patience: &Patience) -> Result<()> {
        self.wait_for_file(sidecar.file().as_ref(), patience)
    }

    fn wait_for_file(&self, file: &dyn File, patience: &Patience) -> Result<()> {
        if file.try_lock()? {
            return Ok(());
        }
        let Some(job) = &self.job else { return self.poll(file, patience) };
        job.wait(true);
        let locked = self.poll(file, patience);
        job.wait(false);
        locked
    }

    /// Tries again and again, with pauses that grow.
    fn poll(&self, file: &dyn File, patience: &Patience) -> Result<()> {
        let mut since = Instant::now();
        let mut pause = 20;
        let mut asked = false;
        loop {
            if patience.is_over() {
                return Err(Error::LockTimeout {
                    path: self.lock_path.clone(),
                    waited_ms: self.options.lock_timeout_ms,
                });
            }
            if let Some(job) = &self.job {
                job.check()?;
            }
            std::thread::sleep(Duration::from_micros(pause));
            since = patience.spend_since(since);
            let sidecar = self.sidecar.as_ref();
            if file.try_lock()? {
                if let Some(sidecar) = sidecar.filter(|_| asked) {
                    sidecar.take_turn();
                }
                return Ok(());
            }
            if let Some(sidecar) = sidecar.filter(|_| patience.is_long()) {
                sidecar.ask_for_turn();
                asked = true;
            }
            pause = pause.saturating_mul(2).min(MAX_LOCK_BACKOFF_US);
        }
    }

    /// Lets calls that have waited for long take the lock first, unless this call has waited as long itself.
    fn let_others_go_first(sidecar: &Sidecar, patience: &Patience) {
        if !sidecar.is_turn_taken() {
            return;
        }
        let mut since = Instant::now();
        let until = since.checked_add(Duration::from_millis(MAX_GIVE_WAY_MS));
        while sidecar.is_turn_taken()
            && !patience.is_long()
            && !patience.is_over()
            && until.is_some_and(|until| since < until)
        {
            std::thread::sleep(Duration::from_millis(1));
            since = patience.spend_since(since);
        }
    }

    /// Takes the lock and brings this handle up to date, also with complete frames that a writer left
    /// unpublished when it died.
    pub(super) fn lock(&mut self, patience: &Patience) -> Result<()> {
        if self.options.read_only {
            return Err(Error::ReadOnly(self.path.clone()));
        }
        let mut was_there = false;
        for _ in 0..MAX_SIDECAR_RETRIES {
            if self.sidecar.is_none() {
                self.attach_sidecar(true, patience)?;
            }
            let Some(sidecar) = &self.sidecar else { continue };
            was_there = true;
            Self::let_others_go_first(sidecar, patience);
            self.wait_for(sidecar, patience)?;
            if sidecar.is_replaced_by(self.storage.identity(&self.lock_path)?) {
                sidecar.file().unlock();
                self.sidecar = None;
                continue;
            }
            let settled = self.settle(patience);
            match settled {
                Ok(()) => self.looked(),
                Err(_) => self.unlock(),
            }
            return self.unless_unknown(settled);
        }
        if !was_there {
            // A folder in which no files can be created, such as those of /proc.
            return Err(Error::io("open", &self.lock_path, rustix::io::Errno::NOENT.into()));
        }
        Err(Error::LockTimeout { path: self.lock_path.clone(), waited_ms: self.options.lock_timeout_ms })
    }

    /// The same, but fails with `LockTimeout` if another handle holds the lock.
    pub(super) fn lock_without_waiting(&mut self) -> Result<()> {
        self.lock(&Patience::none())
    }

    /// Releases the lock.
    pub(super) fn unlock(&self) {
        if let Some(state) = &self.state {
            state.view.file().unlock();
        }
        if let Some(sidecar) = &self.sidecar {
            sidecar.file().unlock();
        }
    }

    fn settle(&mut self, patience: &Patience) -> Result<()> {
        self.tell_of_failure();
        if !self.swept {
            self.swept = true;
            self.sweep();
        }
        if let (Some(state), Some(sidecar)) = (&self.state, &self.sidecar) {
            // Failed reads of earlier look-ups are no reason to refuse this change.
            state.view.ask_again();
            let _ = sidecar.could_reach();
            // Lock first, then check the path: until then another writer may replace the file.
            self.wait_for_file(state.view.file().as_ref(), patience)?;
            let there = self.storage.identity(&self.path)?;
            if there.is_some_and(|t| t.same_file(&state.identity) && t.len == state.end)
                && sidecar.generation() == self.known
                && sidecar.is_settled()
                // Otherwise the page is about another file, because the writer of this one could not publish it.
                && Some(sidecar.epoch()) == state.epoch
            {
                return Ok(());
            }
        }
        self.settle_slowly(patience)
    }

    #[cold]
    fn settle_slowly(&mut self, patience: &Patience) -> Result<()> {
        let Some(sidecar) = self.sidecar.as_mut() else {
            return Ok(());
        };
        sidecar.follow();
        if !sidecar.is_initialised() {
            sidecar.initialise()?;
        }
        let news = sidecar.published();
        let generation = sidecar.generation();
        sidecar.could_reach()?;
        // What was read before the file was replaced or recovered is no longer valid.
        let void = |s: &State, news: &Published| s.epoch != Some(news.epoch);
        if self.state.as_deref().zip(news.as_ref()).is_some_and(|(s, n)| void(s, n)) {
            self.let_go();
        }
        if !self.lock_file_at_path(patience)? {
            self.know(generation);
            return Ok(());
        }
        self.know(generation);
        let Some(state) = self.state.as_mut() else {
            return Ok(());
        };
        let ours = news.filter(|n| n.shard_id == state.header.shard_id);
        let file_len = state.view.file().identity()?.len;
        let followed = match &ours {
            // If the file is shorter than published, it was cut: extending it would put zeros where records were.
            Some(news) if news.committed <= file_len => state.follow(news, &mut self.scratch)?,
            _ => false,
        };
        if followed && file_len == state.end {
            return Ok(());
        }
        let rejected = if followed {
            state.adopt_unpublished(&mut self.scratch)?
        } else {
            state.recover(ours.map_or(0, |n| n.committed), &mut self.scratch)?
        };
        state.blank(&rejected)?;
        if state.end != file_len {
            // No reader can have accepted anything behind the end.
            state.view.extend_written(state.end.min(file_len));
            state.view.file().set_len(state.end)?;
            state.view.extend_written(state.end);
        }
        // The rejected frames may be from an earlier boot. If they were removed only from the page cache, the next power
        // cut could bring them back behind frames that are written from now on. So the file is synced.
        let gone = !rejected.is_empty() || state.end != file_len;
        let synced = followed || !gone || state.view.file().sync().is_ok();
        if state.root.is_some_and(|r| r.committed > state.end) {
            // The file was cut. This root must not become valid again when the file has grown.
            let root = Root { sequence: 0, generation: state.generation, committed: HEADER_LEN, snapshot: 0 };
            self.write_root(&root)?;
        }
        self.publish_recovered(synced)
    }

    /// Makes `state` the file at the path, and locks it. Returns whether there is a shard file.
    fn lock_file_at_path(&mut self, patience: &Patience) -> Result<bool> {
        for _ in 0..MAX_SIDECAR_RETRIES {
            if let Some(state) = &self.state {
                self.wait_for_file(state.view.file().as_ref(), patience)?;
                let there = self.storage.identity(&self.path)?;
                if there.is_some_and(|t| t.same_file(&state.identity)) {
                    return Ok(true);
                }
                state.view.file().unlock();
            }
            if !self.open_file()? {
                return Ok(false);
            }
        }
        Err(Error::LockTimeout { path: self.path.clone(), waited_ms: self.options.lock_timeout_ms })
    }

    /// Publishes the result of a recovery.
    fn publish_recovered(&mut self, synced: bool) -> Result<()> {
        let (Some(state), Some(sidecar)) = (self.state.as_mut(), self.sidecar.as_ref()) else {
            return Ok(());
        };
        let highest = sidecar.credible_generation().max(self.highest);
        state.generation = state.generation.max(highest).saturating_add(1);
        let durable = state.root.map_or(0, |r| r.committed).min(state.end);
        let pending = u64::from(durable < state.end);
        let epoch = sidecar.publish_file(
            &state.published(),
            &Durable {
                bytes: durable,
                appended: pending,
                durable_appended: 0,
                sync_failed: !synced || sidecar.durable().sync_failed,
                // The writer that put the file in place may have died before its name was durable.
                dir_pending: true,
            },
        );
        sidecar.could_reach()?;
        state.epoch = Some(epoch);
        let generation = state.generation;
        self.know(generation);
        // Otherwise every handle that opens the shard would have to walk the long tail.
        if self.tail_is_long() {
            let _ = self.write_snapshot();
        }
        Ok(())
    }

    /// Removes temporary files that no writer has locked: their writers are dead.
    fn sweep(&self) {
        let Some(name) = self.path.file_name().and_then(|n| n.to_str()) else {
            return;
        };
        let prefix = format!("{name}.tmp.");
        let Ok(found) = self.storage.list(self.dir(), &prefix, MAX_SWEEP) else {
            return;
        };
        for path in found {
            if let Ok(Some(file)) = self.storage.open(&path, Open::Write)
                && file.try_lock().unwrap_or(false)
            {
                let _ = self.storage.remove(&path);
            }
        }
    }
}
