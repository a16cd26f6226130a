//! A folder of content files, one per name, for what is too large or too rarely used for a shard.
//!
//! A file is written under a temporary name and renamed into place, so that a reader finds the old
//! bytes, the new ones or none. Making it survive a power cut is deferred to [`BlobFolder::sync`].
//! Until then a power cut may leave a file torn or missing, so readers must verify what they find.

mod pending;
mod temporary;

pub use pending::Pending;
pub use temporary::Prepared;

use crate::error::{Error, Result};
use crate::limits::{MAX_BLOB_NAME_BYTES, MAX_WALK, WRITE_CHUNK};
use crate::storage::{File, Listed, Open, Storage};
use pending::PendingSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module's head. All methods may be called from several threads at once.
#[derive(Debug)]
pub struct BlobFolder {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    temporary: PathBuf,
    /// Locked while a file is renamed into place or removed, so that the set always matches the folder.
    pending: Mutex<PendingSet>,
    /// Locked while `sync` runs: only one runs at a time.
    syncing: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BlobFolder {
    /// `dir` holds the files. Temporary ones are made in `temporary`, which is the same folder or one on
    /// the same file system. Neither needs to exist yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: &Path, temporary: &Path) -> Self {
        BlobFolder {
            storage,
            dir: dir.to_path_buf(),
            temporary: temporary.to_path_buf(),
            pending: Mutex::default(),
            syncing: Mutex::default(),
        }
    }

    /// The folder of the files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the chunks, in order, as the file with this name. A symbolic link or a pipe at the path
    /// is replaced, not followed.
    ///
    /// # Errors
    /// `InvalidArg` for an invalid name, `Io`, `NoSpace`. The former file stays then, and no temporary
    /// file is left.
    pub fn write(&self, name: &str, chunks: &[&[u8]]) -> Result<()> {
        self.publish(self.prepare(name, chunks)?)
    }

    /// The first half of `write`: everything but the rename. So that a caller can write several files
    /// before it renames the first.
    ///
    /// # Errors
    /// As `write`.
    pub fn prepare(&self, name: &str, chunks: &[&[u8]]) -> Result<Prepared> {
        check(name)?;
        let mut prepared = self.make_temporary(name)?;
        let total = chunks.iter().fold(0usize, |sum, c| sum.saturating_add(c.len()));
        if total <= WRITE_CHUNK {
            // Copying this much costs less than a system call for each chunk.
            prepared.append(&chunks.concat())?;
        } else {
            chunks.iter().try_for_each(|chunk| prepared.append(chunk))?;
        }
        Ok(prepared)
    }

    /// The second half of `write`: renames the file into place and counts it as pending. If too many
    /// files are pending already, they are synced first.
    ///
    /// # Errors
    /// `Io`, `NoSpace`. The temporary file is removed then.
    pub fn publish(&self, mut prepared: Prepared) -> Result<()> {
        if lock(&self.pending).is_full_for(&prepared.name) {
            self.sync()?;
        }
        let mut pending = lock(&self.pending);
        self.rename(&mut prepared, &mut pending)?;
        pending.add(&prepared.name, prepared.len);
        Ok(())
    }

    /// Renames a temporary file into place. The caller has locked the pending set.
    fn rename(&self, prepared: &mut Prepared, pending: &mut PendingSet) -> Result<()> {
        let path = self.dir.join(&prepared.name);
        match self.storage.rename(&prepared.path, &path) {
            Err(error) if is_missing(&error) => {
                self.make_folder(&self.dir, pending)?;
                self.storage.rename(&prepared.path, &path)?;
            }
            other => other?,
        }
        prepared.published = true;
        pending.folders.insert(self.dir.clone());
        pending.folders.insert(self.temporary.clone());
        Ok(())
    }

    /// Opens the file with this name. `None` if there is none, if it is a symbolic link or not a regular
    /// file, or if others own it or may write to it.
    ///
    /// # Errors
    /// `InvalidArg` for an invalid name, `Io`.
    pub fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        self.open_how(name, Open::Read)
    }

    /// Opens a file for appending; the caller then reports what it has appended with
    /// [`Self::touch_pending`]. It must not append while `sync` runs, nor to a file opened before a
    /// `sync`, because `sync` replaces a suspect file by a copy.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_write(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        self.open_how(name, Open::Write)
    }

    fn open_how(&self, name: &str, how: Open) -> Result<Option<Arc<dyn File>>> {
        check(name)?;
        match self.storage.open(&self.dir.join(name), how) {
            Err(Error::UntrustedFile { .. }) => Ok(None),
            other => other,
        }
    }

    /// Removes the file with this name, or whatever else is at its path, unless that is a folder.
    /// Returns whether there was something. The file is no longer pending.
    ///
    /// # Errors
    /// `InvalidArg` for an invalid name, `Io`.
    pub fn remove(&self, name: &str) -> Result<bool> {
        check(name)?;
        let path = self.dir.join(name);
        let mut pending = lock(&self.pending);
        let there = self.storage.identity(&path)?.is_some();
        if there {
            self.storage.remove(&path)?;
            pending.folders.insert(self.dir.clone());
        }
        pending.forget(name);
        Ok(there)
    }

    /// All regular files but temporary ones, in no particular order, at most [`MAX_WALK`]. A missing
    /// folder has none.
    ///
    /// # Errors
    /// `Io`.
    pub fn names(&self) -> Result<Vec<Listed>> {
        match self.storage.walk(&self.dir, MAX_WALK) {
            Ok(mut found) => {
                found.retain(|f| check(&f.name).is_ok());
                Ok(found)
            }
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder and those above it. The next `sync` also syncs the folders that got a new one.
    fn make_folder(&self, dir: &Path, pending: &mut PendingSet) -> Result<()> {
        for folder in dir.ancestors() {
            if self.storage.identity(folder)?.is_some() {
                break;
            }
            pending.folders.extend(folder.parent().map(Path::to_path_buf));
        }
        self.storage.create_dirs(dir)
    }
}

/// Whether an operation failed because a file or folder does not exist.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Checks that a name is a plain file name, and not one that a temporary file could have.
fn check(name: &str) -> Result<()> {
    let plain = !name.is_empty()
        && name.len() <= MAX_BLOB_NAME_BYTES
        && !name.starts_with('.')
        && !name.contains(['/', '\0']);
    if plain {
        return Ok(());
    }
    Err(Error::InvalidArg(format!(
        "a file's name must have 1 to {MAX_BLOB_NAME_BYTES} bytes, no slash or zero byte and no dot in front: {name:?}"
    )))
}
