//! Opening a shard, and opening its file again after it was replaced or recovered.

use super::{Background, Changes, Job, Lender, Lookups, Options, Patience, Shard, Swift};
use crate::error::{Error, Result};
use crate::limits::{
    HITS_PER_CLOCK, LOOKUPS_UNCHECKED, MAX_PAGE_GENERATION, MAX_RELOAD_RETRIES, RECENCY_EPOCH_MS,
};
use crate::sidecar::{self, Published, Sidecar};
use crate::state::{Ahead, Loading, Scratch, State};
use crate::storage::disk::Disk;
use crate::storage::{Open, Storage};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

impl Shard {
    /// Opens the shard at `path` on the real disk. A missing file, and one that is no shard or a shard
    /// of another kind, format or digest, reads as an empty shard.
    ///
    /// # Errors
    /// `InvalidArg`, `UntrustedFile`, `Io`, `NoSpace`.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        let trust = options.trust;
        Self::open_on(Arc::new(Disk { trust }), path, options)
    }

    /// The same on any storage.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_on(storage: Arc<dyn Storage>, path: &Path, options: Options) -> Result<Self> {
        let patience = Patience::of(&options);
        Self::open_within(storage, path, options, &patience, None)
    }

    /// The same as part of a longer call.
    fn open_within(
        storage: Arc<dyn Storage>,
        path: &Path,
        options: Options,
        patience: &Patience,
        job: Option<Arc<Job>>,
    ) -> Result<Self> {
        options.check()?;
        if path.file_name().is_none() {
            return Err(Error::InvalidArg(format!(
                "a shard's path must name a file, not {:?}",
                path.display()
            )));
        }
        let mut it = Shard {
            path: path.to_path_buf(),
            lock_path: sidecar::path_for(path),
            checked_ms: storage.ticks_ms(),
            storage,
            rootless: options.producer.id().filter(|_| options.root.is_none()),
            options,
            sidecar: None,
            state: None,
            rejected: None,
            seen: None,
            known: 0,
            era: 0,
            pages: 0,
            highest: 0,
            lookups_unchecked: LOOKUPS_UNCHECKED,
            lookups: Lookups::default(),
            totals: None,
            changes: Arc::default(),
            scratch: Scratch::default(),
            buffer: Vec::new(),
            ahead: Ahead::default(),
            hits_left: HITS_PER_CLOCK,
            misses_left: 0,
            misses_between: 0,
            recency_epoch: 0,
            swept: false,
            wrote: false,
            lender: Lender::default(),
            swift: Swift::default(),
            background: Background::default(),
            job,
            untold_failure: false,
            begun: RefCell::new(None),
        };
        it.recency_epoch = it.checked_ms / RECENCY_EPOCH_MS;
        it.attach_sidecar(true, patience)?;
        it.load_as(State::follow_unchecked)?;
        if it.state.as_deref().is_some_and(State::is_unchecked) {
            // Makes every call except a look-up catch up first, which checks them.
            it.known = u64::MAX;
        }
        Ok(it)
    }

    /// What is needed to open another handle on the same shard.
    #[must_use]
    pub fn opener(&self) -> Opener {
        Opener {
            storage: Arc::clone(&self.storage),
            path: self.path.clone(),
            options: self.options.clone(),
            changes: Arc::clone(&self.changes),
        }
    }

    /// Opens the sidecar. With `make`, and unless the shard is read-only, creates it and its folders if
    /// they are missing.
    pub(super) fn attach_sidecar(&mut self, make: bool, patience: &Patience) -> Result<()> {
        self.sidecar = None;
        self.pages = self.pages.wrapping_add(1);
        self.end_era();
        if let Some(state) = self.state.as_mut() {
            // Epochs of different sidecars are not comparable.
            state.epoch = None;
        }
        let writable = !self.options.read_only;
        let file = if writable && !make {
            self.storage.open(&self.lock_path, Open::Write)?
        } else if writable {
            match self.storage.open(&self.lock_path, Open::Create)? {
                Some(file) => Some(file),
                None => {
                    self.storage.create_dirs(self.dir())?;
                    self.storage.open(&self.lock_path, Open::Create)?
                }
            }
        } else {
            match self.storage.open(&self.lock_path, Open::Read) {
                Ok(file) => file,
                // Read-only media, or a shard shipped without its sidecar: the shard never changes.
                Err(Error::Io { .. }) => None,
                Err(e) => return Err(e),
            }
        };
        let Some(file) = file else { return Ok(()) };
        let mapped = self.options.mapped && file.maps_are_coherent();
        let mut sidecar = Sidecar::open(&self.lock_path, file, writable, mapped, self.storage.boot_id())?;
        if writable && !sidecar.is_initialised() {
            self.wait_for(&sidecar, patience)?;
            let done = sidecar.initialise();
            sidecar.file().unlock();
            done?;
        }
        self.sidecar = Some(sidecar);
        Ok(())
    }

    pub(super) fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        }
    }

    /// Opens the file at the path and reads what is published of it.
    pub(super) fn load(&mut self) -> Result<()> {
        self.load_as(State::follow)
    }

    fn load_as(&mut self, follow: fn(&mut State, &Published, &mut Scratch) -> Result<bool>) -> Result<()> {
        let _ = self.sidecar.as_ref().map(Sidecar::could_reach);
        for attempt in 1..=MAX_RELOAD_RETRIES {
            let epoch = self.sidecar.as_ref().map_or(0, |s| s.epoch());
            let known = self.sidecar.as_ref().map_or(0, |s| s.generation());
            let news = self.sidecar.as_ref().and_then(|s| s.published());
            self.sidecar.as_ref().map_or(Ok(()), Sidecar::could_reach)?;
            if !self.open_file()? {
                self.know(known);
                return Ok(());
            }
            let Some(state) = self.state.as_mut() else {
                return Ok(());
            };
            let ours = news.filter(|n| n.shard_id == state.header.shard_id);
            if let Some(news) = &ours {
                let followed = follow(state, news, &mut self.scratch);
                if self.unless_unknown(followed)? {
                    self.know(news.generation);
                    return Ok(());
                }
            } else if (news.is_some() || self.sidecar.as_ref().is_some_and(|s| s.is_changing()))
                && attempt < MAX_RELOAD_RETRIES / 2
            {
                // Page and path disagree: a writer is between rename and publishing, or died there.
                std::thread::yield_now();
                continue;
            }
            let trusted_to = ours.map_or(0, |n| n.committed);
            let settled = self.recover(trusted_to, known);
            let settled = self.unless_unknown(settled)?;
            // If the epoch has changed, a writer published the file meanwhile, and this handle may have read frames that
            // it wrote but has not published. Then start again: the next look-up would no longer find them.
            if settled || self.sidecar.as_ref().is_none_or(|s| s.epoch() == epoch) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// If reading the file failed half-way, what this handle knows about it may be wrong: it forgets the file, and the
    /// next call reads it again.
    pub(super) fn unless_unknown<T>(&mut self, read: Result<T>) -> Result<T> {
        if matches!(read, Err(Error::Io { .. } | Error::NoSpace { .. })) {
            self.know(u64::MAX);
            self.let_go();
            self.seen = None;
        }
        read
    }

    /// Notes which generation of the page this handle has caught up with.
    pub(super) fn know(&mut self, generation: u64) {
        self.known = generation;
        self.end_era();
        if generation <= MAX_PAGE_GENERATION {
            self.highest = self.highest.max(generation);
        }
    }

    /// Opens the file at the path and sets `state` or, if the file reads as empty, `rejected`. Returns
    /// whether there is a `state`. If a system call fails, nothing changes.
    pub(super) fn open_file(&mut self) -> Result<bool> {
        let how = if self.options.read_only { Open::Read } else { Open::Write };
        let file = self.storage.open(&self.path, how)?;
        let opened = match &file {
            Some(file) => {
                let mapped = self.options.mapped && file.maps_are_coherent();
                let seen = file.identity()?;
                let (kind, digest) = (self.options.kind, self.options.digest.as_ref());
                let loading = State::open(Arc::clone(file), mapped, kind, digest)?;
                Some((seen, loading))
            }
            None => None,
        };
        self.let_go();
        self.rejected = None;
        self.seen = None;
        self.lender.forget();
        let Some((seen, loading)) = opened else {
            return Ok(false);
        };
        self.seen = Some(seen);
        self.swift.found(&seen);
        match loading {
            Loading::Loaded(state) => {
                self.state = Some(state);
                Ok(true)
            }
            Loading::Rejected(why) => {
                self.rejected = Some(why);
                Ok(false)
            }
        }
    }

    /// Recovers a file that no valid page describes. A writable handle does so under the lock, for all
    /// handles, if the lock is free. If it is not free, its holder does that, and a look-up must not wait
    /// for it. Then, and if this handle is read-only, the file is examined for this handle alone.
    /// Returns whether it was recovered for all.
    fn recover(&mut self, trusted_to: u64, known: u64) -> Result<bool> {
        if !self.options.read_only {
            match self.lock_without_waiting() {
                Ok(()) => {
                    self.unlock();
                    return Ok(true);
                }
                Err(Error::LockTimeout { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        if let Some(state) = self.state.as_mut() {
            // Without the lock, a writer may cut the file meanwhile, and reading the lost bytes through a mapping would
            // end the process. So the file is read without a mapping.
            let mapped = state.view.wants_mapping();
            state.view.set_mapped(false);
            state.recover(trusted_to, &mut self.scratch)?;
            state.view.set_mapped(mapped);
            // A writer may cut off what lies behind the end at any time.
            let readable = state.view.readable().min(state.end);
            state.view.extend_written(readable);
        }
        self.know(known);
        Ok(false)
    }
}

/// What is needed to open another handle on a shard, for example on another thread.
#[derive(Debug)]
pub struct Opener {
    storage: Arc<dyn Storage>,
    path: std::path::PathBuf,
    options: Options,
    changes: Arc<Changes>,
}

impl Opener {
    /// Opens the shard for one job. Aborting the job also ends a wait for the lock. The time that opening waits for the lock
    /// counts towards the job's `lockTimeout`. Changes by the new handle are counted by the one that this opener came from.
    ///
    /// # Errors
    /// As `Shard::open`.
    pub fn open(&self, job: &Arc<Job>) -> Result<Shard> {
        let (storage, options) = (Arc::clone(&self.storage), self.options.clone());
        let patience = Patience::of(&options);
        let mut shard = Shard::open_within(storage, &self.path, options, &patience, Some(Arc::clone(job)))?;
        shard.changes = Arc::clone(&self.changes);
        shard.begun.replace(Some(patience));
        Ok(shard)
    }
}
