//! Replacing or removing the whole file: `replaceAll`, `clear`, and the removal of the file.

use super::append::{Appender, shrink, write_snapshot};
use super::batch::{Batch, BatchContext};
use super::{Job, Shard};
use crate::error::Result;
use crate::header::Root;
use crate::sidecar::Durable;
use crate::state::State;
use std::path::Path;

impl Shard {
    /// Replaces all entries by those that `fill` gives, atomically and durably. Returns how many there
    /// are. If entries are given but the producer could not be identified, the shard stays as before, and
    /// they are counted as rejected.
    ///
    /// # Errors
    /// What `fill` returns; `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`. Then the shard is as before.
    pub fn replace_all<F>(&mut self, job: &Job, fill: F) -> Result<u64>
    where
        F: FnOnce(&mut Batch<'_, '_>) -> Result<()>,
    {
        self.in_lock(&self.patience(), |shard| shard.replace_locked(job, fill))
            .inspect(|count| self.changes.puts.add(*count))
    }

    fn replace_locked<F>(&mut self, job: &Job, fill: F) -> Result<u64>
    where
        F: FnOnce(&mut Batch<'_, '_>) -> Result<()>,
    {
        let generation = self.next_generation();
        // What this handle has put before is to be replaced, so it must not be put again.
        self.swift.forget();
        let (path, mut state) = self.new_file(generation)?;
        let done = self.fill_file(&mut state, generation, job, fill);
        let done = done.and_then(|count| {
            if count.is_some() {
                self.install(&path, state)?;
            }
            Ok(count)
        });
        if !matches!(done, Ok(Some(_))) {
            let _ = self.storage.remove(&path);
        }
        done.map(Option::unwrap_or_default)
    }

    /// Removes the shard file with all its entries. Does nothing if there is none. The sidecar stays,
    /// because the generation must not go back.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub fn remove_file(&mut self) -> Result<()> {
        self.catch_up();
        let absent = self.storage.identity(&self.path)?.is_none();
        if absent && self.state.is_none() && !self.options.read_only {
            return Ok(());
        }
        self.in_lock(&self.patience(), |shard| {
            // First publish an empty file: then other handles learn of the removal at their next look-up, and
            // not only when they next check the path.
            if shard.state.is_some() || shard.rejected.is_some() {
                shard.replace_locked(&Job::default(), |_| Ok(()))?;
            }
            // Without a file, only the page knows the generation, so the page is synced. An error is ignored:
            // this matters only after a power cut, and a full disk must not prevent removing the file.
            if let Some(sidecar) = &shard.sidecar {
                let _ = sidecar.file().sync();
            }
            shard.storage.remove(&shard.path)?;
            if let Some(state) = shard.state.take() {
                state.view.file().unlock();
            }
            shard.seen = None;
            shard.rejected = None;
            shard.wrote = false;
            shard.lender.forget();
            shard.storage.sync_dir(shard.dir())
        })
    }

    /// Removes all entries. Does nothing if there is no file.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub fn clear(&mut self) -> Result<()> {
        self.catch_up();
        // There may be a file that this handle does not know yet, because its writer could not publish it.
        let absent = self.storage.identity(&self.path)?.is_none();
        if absent && self.state.is_none() && self.rejected.is_none() && !self.options.read_only {
            return Ok(());
        }
        self.replace_all(&Job::default(), |_| Ok(())).map(drop)
    }

    /// Writes the entries into a new file. Returns how many, or `None` if there are some but no identified producer.
    fn fill_file<F>(&mut self, state: &mut State, generation: u64, job: &Job, fill: F) -> Result<Option<u64>>
    where
        F: FnOnce(&mut Batch<'_, '_>) -> Result<()>,
    {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut appender = Appender::new(state, &mut buffer, generation);
        let context = BatchContext {
            shard: self,
            producer: self.options.producer.id(),
            seed: appender.state.header.seed,
            in_batch: false,
        };
        let mut batch = Batch::new(&context, &mut appender, job);
        fill(&mut batch)?;
        if batch.rejected > 0 {
            return Ok(None);
        }
        let count = appender.len() as u64;
        let newest = appender.settle()?;
        if !newest.is_empty() {
            write_snapshot(state, &newest, &mut buffer, &mut self.scratch)?;
        }
        shrink(&mut buffer);
        self.buffer = buffer;
        Ok(Some(count))
    }

    /// Makes a finished temporary file durable, renames it to the shard's path, and publishes it.
    pub(super) fn install(&mut self, path: &Path, mut state: Box<State>) -> Result<()> {
        let root = Root {
            sequence: 1,
            generation: state.generation,
            committed: state.end,
            snapshot: state.snapshot(),
        };
        state.view.could_read()?;
        let file = state.view.file();
        file.write_at(&root.encode(state.sealer.seed()), root.offset())?;
        file.sync()?;
        self.storage.rename(path, &self.path)?;
        state.root = Some(root);
        // From here on it is the shard, even if something else fails. It is published at once, because until
        // then page and path disagree.
        let durable = Durable { bytes: state.end, dir_pending: true, ..Durable::default() };
        let live = state.live_entries;
        self.take_file(state, &durable)?;
        let synced = self.storage.sync_dir(self.dir());
        if let Some(sidecar) = self.sidecar.as_mut() {
            if synced.is_ok() {
                sidecar.store_durable(&Durable { dir_pending: false, ..durable });
            }
            // Last-use times are best effort.
            let _ = sidecar.fit_recency(live);
        }
        synced
    }
}
