//! Which files a power cut might cost, and making them survive one.

use super::{BlobFolder, is_missing, lock};
use crate::error::{Error, Result};
use crate::limits::{MAX_PARALLEL_SYNCS, MAX_PENDING_FILES, WRITE_CHUNK};
use crate::storage::{File, Identity};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What has yet to be synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// Files.
    pub files: u64,
    /// Bytes written to them.
    pub bytes: u64,
}

/// A file that has yet to be synced.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// Differs after each change of the file.
    version: u64,
    bytes: u64,
    /// The file whose sync failed once. The kernel may have dropped its pages, and then calls them
    /// clean: a later success proves nothing.
    suspect: Option<Identity>,
}

#[derive(Debug, Default)]
pub(super) struct PendingSet {
    files: HashMap<String, Waiting>,
    bytes: u64,
    version: u64,
    /// Folders in which names changed.
    pub(super) folders: BTreeSet<PathBuf>,
}

impl PendingSet {
    pub(super) fn is_full_for(&self, name: &str) -> bool {
        self.files.len() >= MAX_PENDING_FILES && !self.files.contains_key(name)
    }

    /// A name has a new file.
    pub(super) fn add(&mut self, name: &str, bytes: u64) {
        self.forget(name);
        self.version = self.version.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        self.files.insert(name.into(), Waiting { version: self.version, bytes, suspect: None });
    }

    pub(super) fn forget(&mut self, name: &str) {
        if let Some(old) = self.files.remove(name) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
    }

    /// Takes out a file that was synced, unless it was changed since.
    fn settle(&mut self, name: &str, version: u64) {
        if self.files.get(name).is_some_and(|w| w.version == version) {
            self.forget(name);
        }
    }
}

impl BlobFolder {
    /// Says that `bytes` were appended to a file since it was last synced.
    pub fn touch_pending(&self, name: &str, bytes: u64) {
        if lock(&self.pending).is_full_for(name) {
            // What could not be synced stays pending, and the next `sync` says so.
            let _ = self.sync();
        }
        let mut pending = lock(&self.pending);
        let old = pending.files.get(name).copied();
        pending.add(name, old.map_or(0, |w| w.bytes).saturating_add(bytes));
        if let Some(waiting) = pending.files.get_mut(name) {
            waiting.suspect = old.and_then(|w| w.suspect);
        }
    }

    /// What a power cut now might cost.
    #[must_use]
    pub fn pending(&self) -> Pending {
        let pending = lock(&self.pending);
        Pending { files: pending.files.len() as u64, bytes: pending.bytes }
    }

    /// Syncs every pending file, at most [`MAX_PARALLEL_SYNCS`] at a time, then the folders. A file that
    /// is gone, or was replaced by something that is not ours, needs no sync.
    ///
    /// # Errors
    /// The first failure, `Io` or `NoSpace`. All the others were tried too; what failed stays pending,
    /// and everything does where a folder could not be synced.
    pub fn sync(&self) -> Result<()> {
        let _only = lock(&self.syncing);
        let work: Vec<_> = lock(&self.pending).files.iter().map(|(name, w)| (name.clone(), *w)).collect();
        let failed = Mutex::new(None);
        let synced = self.sync_files(&work, &failed);
        // Only now: a suspect file's copy is a new name too.
        let folders = std::mem::take(&mut lock(&self.pending).folders);
        // A folder above ours may be closed to us. That its name survives is then for its owner to see to.
        let ours = |dir: &&PathBuf| **dir == self.dir || **dir == self.temporary;
        let (own, above): (Vec<_>, Vec<_>) = folders.iter().partition(ours);
        for dir in above {
            let _ = self.storage.sync_dir(dir);
        }
        let folders_failed = own.into_iter().find_map(|dir| match self.storage.sync_dir(dir) {
            // Whoever removed the folder lost nothing that we would have to keep.
            Err(error) if work.is_empty() && is_missing(&error) => None,
            other => other.err(),
        });
        let mut pending = lock(&self.pending);
        match folders_failed {
            Some(error) => {
                pending.folders.extend(folders);
                lock(&failed).get_or_insert(error);
            }
            None => synced.iter().for_each(|(name, waiting)| pending.settle(name, waiting.version)),
        }
        match lock(&failed).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Those of `work` that were synced.
    fn sync_files<'a>(
        &self,
        work: &'a [(String, Waiting)],
        failed: &Mutex<Option<Error>>,
    ) -> Vec<&'a (String, Waiting)> {
        let next = AtomicUsize::new(0);
        let run = || {
            let mut synced = Vec::new();
            while let Some(item) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.sync_file(&item.0, item.1) {
                    Ok(true) => synced.push(item),
                    Ok(false) => {}
                    Err(error) => {
                        lock(failed).get_or_insert(error);
                    }
                }
            }
            synced
        };
        std::thread::scope(|scope| {
            let helpers = work.len().min(MAX_PARALLEL_SYNCS).saturating_sub(1);
            // Where the system has no more threads, those that run do all the work.
            let helpers: Vec<_> = (0..helpers)
                .map_while(|_| std::thread::Builder::new().spawn_scoped(scope, run).ok())
                .collect();
            let mut synced = run();
            for helper in helpers {
                synced.extend(helper.join().unwrap_or_default());
            }
            synced
        })
    }

    /// Whether the file is synced, or none is there that could be.
    fn sync_file(&self, name: &str, waiting: Waiting) -> Result<bool> {
        let Some(file) = self.open(name)? else {
            return Ok(true);
        };
        let identity = file.identity()?;
        if waiting.suspect.is_some_and(|s| s.same_file(&identity)) {
            return self.rewrite(name, waiting.version, file.as_ref(), &identity);
        }
        let synced = file.sync();
        if synced.is_err()
            && let Some(waiting) = lock(&self.pending).files.get_mut(name)
        {
            waiting.suspect = Some(identity);
        }
        synced.map(|()| true)
    }

    /// Puts a durable copy in the place of a suspect file. False where somebody else changed the file
    /// meanwhile: then it is left to the next `sync`.
    fn rewrite(&self, name: &str, version: u64, file: &dyn File, identity: &Identity) -> Result<bool> {
        let mut prepared = self.make_temporary(name)?;
        let mut buffer = vec![0; WRITE_CHUNK];
        loop {
            let read = file.read_at(&mut buffer, prepared.len)?;
            if read == 0 {
                break;
            }
            prepared.append(buffer.get(..read).unwrap_or_default())?;
        }
        prepared.file.sync()?;
        let mut pending = lock(&self.pending);
        let there = self.storage.identity(&self.dir.join(name))?;
        let unchanged = pending.files.get(name).is_some_and(|w| w.version == version);
        if !unchanged || !there.is_some_and(|t| t.same_file(identity)) {
            return Ok(false);
        }
        self.rename(&mut prepared, &mut pending)?;
        if let Some(waiting) = pending.files.get_mut(name) {
            waiting.suspect = None;
        }
        Ok(true)
    }
}
