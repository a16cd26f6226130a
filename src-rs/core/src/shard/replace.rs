//! Putting a whole new file in the old one's place: replaceAll and clear.

use super::append::{Appender, shrink, write_snapshot};
use super::batch::{Batch, BatchContext};
use super::{Job, Shard};
use crate::error::Result;
use crate::header::Root;
use crate::sidecar::Durable;
use crate::state::State;
use std::path::Path;

impl Shard {
    /// Makes the entries that `fill` gives the only ones, atomically and durably. Returns how many
    /// were given. Without an identified producer none of them can be stored: the shard is as before, and that is counted.
    ///
    /// # Errors
    /// What `fill` returns; `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`. The shard is as before then.
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
        // What nobody is to find in the new file need not be put there again.
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

    /// Drops every entry and the file too. Does nothing where there is none; the sidecar stays, for the
    /// generation must not go back.
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
            // First an empty file, published: who has the old one learns of it at the next look-up, and
            // not only when it happens to look for the file.
            if shard.state.is_some() || shard.rejected.is_some() {
                shard.replace_locked(&Job::default(), |_| Ok(()))?;
            }
            // Without a file, only the page remembers how far the generation has come. Best effort: it is a
            // courtesy across a power cut, and a full disk must not keep anyone from removing files.
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

    /// Drops every entry. Does nothing to a shard without any.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub fn clear(&mut self) -> Result<()> {
        self.catch_up();
        // A file that we do not know yet may hold what a writer could not publish any more.
        let absent = self.storage.identity(&self.path)?.is_none();
        if absent && self.state.is_none() && self.rejected.is_none() && !self.options.read_only {
            return Ok(());
        }
        self.replace_all(&Job::default(), |_| Ok(())).map(drop)
    }

    /// `None` where entries were given that nobody could be said to have made.
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

    /// Makes a finished temporary file durable, puts it at our path and tells everybody.
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
        // Renamed: from here on it is the shard, whatever else fails. Told at once, for until then others
        // find page and path at odds.
        let durable = Durable { bytes: state.end, dir_pending: true, ..Durable::default() };
        let live = state.live_entries;
        self.take_file(state, &durable)?;
        let synced = self.storage.sync_dir(self.dir());
        if let Some(sidecar) = self.sidecar.as_mut() {
            if synced.is_ok() {
                sidecar.store_durable(&Durable { dir_pending: false, ..durable });
            }
            // Recency is a help, not a promise.
            let _ = sidecar.fit_recency(live);
        }
        synced
    }
}
