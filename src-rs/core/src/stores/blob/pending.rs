//! The files that a power cut could destroy, and syncing them.

use super::{BlobFolder, is_missing, lock};
use crate::error::{Error, Result};
use crate::limits::{MAX_PARALLEL_SYNCS, MAX_PENDING_FILES, WRITE_CHUNK};
use crate::storage::{File, Identity};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much has not been synced yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// Number of files.
    pub files: u64,
    /// Bytes written to them.
    pub bytes: u64,
}

/// A file that has not been synced yet.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// Increased by each change of the file.
    version: u64,
    bytes: u64,
    /// The file, if a sync of it has failed. The kernel may have dropped its pages and marked them as
    /// clean, so that a later successful sync proves nothing.
    suspect: Option<Identity>,
}

#[derive(Debug, Default)]
pub(super) struct PendingSet {
    files: HashMap<String, Waiting>,
    bytes: u64,
    version: u64,
    /// Folders in which files were added, replaced or removed.
    pub(super) folders: BTreeSet<PathBuf>,
}

impl PendingSet {
    pub(super) fn is_full_for(&self, name: &str) -> bool {
        self.files.len() >= MAX_PENDING_FILES && !self.files.contains_key(name)
    }

    /// Counts the new file of a name as pending.
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

    /// Forgets a file that was synced, unless it has been changed since `version`.
    fn settle(&mut self, name: &str, version: u64) {
        if self.files.get(name).is_some_and(|w| w.version == version) {
            self.forget(name);
        }
    }
}

impl BlobFolder {
    /// Reports that `bytes` were appended to a file.
    pub fn touch_pending(&self, name: &str, bytes: u64) {
        if lock(&self.pending).is_full_for(name) {
            // What could not be synced stays pending, and the next `sync` returns the error.
            let _ = self.sync();
        }
        let mut pending = lock(&self.pending);
        let old = pending.files.get(name).copied();
        pending.add(name, old.map_or(0, |w| w.bytes).saturating_add(bytes));
        if let Some(waiting) = pending.files.get_mut(name) {
            waiting.suspect = old.and_then(|w| w.suspect);
        }
    }

    /// How much has not been synced yet.
    #[must_use]
    pub fn pending(&self) -> Pending {
        let pending = lock(&self.pending);
        Pending { files: pending.files.len() as u64, bytes: pending.bytes }
    }

    /// Syncs every pending file, at most [`MAX_PARALLEL_SYNCS`] at a time, then the folders. A file that
    /// is gone, or was replaced by one that [`Self::open`] does not open, needs no sync.
    ///
    /// # Errors
    /// The first failure, `Io` or `NoSpace`, after all files have been tried. What failed stays pending;
    /// if a folder could not be synced, everything does.
    pub fn sync(&self) -> Result<()> {
        let _only = lock(&self.syncing);
        let work: Vec<_> = lock(&self.pending).files.iter().map(|(name, w)| (name.clone(), *w)).collect();
        let failed = Mutex::new(None);
        let synced = self.sync_files(&work, &failed);
        // Taken only now, because replacing a suspect file changes its folder, too.
        let folders = std::mem::take(&mut lock(&self.pending).folders);
        // Best effort for the folders above ours, because we may lack the permission to open them.
        let ours = |dir: &&PathBuf| **dir == self.dir || **dir == self.temporary;
        let (own, above): (Vec<_>, Vec<_>) = folders.iter().partition(ours);
        for dir in above {
            let _ = self.storage.sync_dir(dir);
        }
        let folders_failed = own.into_iter().find_map(|dir| match self.storage.sync_dir(dir) {
            // The folder was removed when no file in it was pending, so nothing is lost.
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

    /// Syncs the files of `work`. Returns those that were synced, and puts the first error into `failed`.
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
            // If the system cannot start more threads, those that run do all the work.
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

    /// Syncs a file. Returns true if it is synced, or if there is no file to sync.
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

    /// Replaces a suspect file by a durable copy. Returns false if the file was changed in the meantime;
    /// then it is left to the next `sync`.
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
