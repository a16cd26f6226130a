//! A folder of content files, one per name: what is too large, or too seldom used, for a shard.
//!
//! A file is never edited: it is written under a temporary name and renamed into place, so that a
//! reader finds the old bytes, the new ones or none. Making it survive a power cut is deferred to
//! [`BlobFolder::sync`]; until then a cut may leave a file torn or missing, so whoever reads verifies
//! what it finds.

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
    /// Held while a name changes its file, so that it says at every moment what is at the names.
    pending: Mutex<PendingSet>,
    /// Held by the one `sync` at work.
    syncing: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BlobFolder {
    /// `dir` holds the files; temporary ones are made in `temporary`, a folder of the same file
    /// system, or the same folder. Neither needs to be there yet.
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

    /// Where the files are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the chunks, one behind the other, as the file of a name. A symlink or a pipe at the
    /// path is replaced, not followed.
    ///
    /// # Errors
    /// `InvalidArg` for a name that cannot be one, `Io`, `NoSpace`; what was there stays then, and no
    /// temporary file is left.
    pub fn write(&self, name: &str, chunks: &[&[u8]]) -> Result<()> {
        self.publish(self.prepare(name, chunks)?)
    }

    /// The first half of `write`: everything but the rename. So several files can be renamed together
    /// after all of them were written.
    ///
    /// # Errors
    /// As `write`.
    pub fn prepare(&self, name: &str, chunks: &[&[u8]]) -> Result<Prepared> {
        check(name)?;
        let mut prepared = self.make_temporary(name)?;
        let total = chunks.iter().fold(0usize, |sum, c| sum.saturating_add(c.len()));
        if total <= WRITE_CHUNK {
            // One write: copying that much costs less than a system call for each piece.
            prepared.append(&chunks.concat())?;
        } else {
            chunks.iter().try_for_each(|chunk| prepared.append(chunk))?;
        }
        Ok(prepared)
    }

    /// The second half: renames the file into place and counts it as pending. Where too many are
    /// pending already, they are synced first.
    ///
    /// # Errors
    /// `Io`, `NoSpace`; the temporary file is removed then.
    pub fn publish(&self, mut prepared: Prepared) -> Result<()> {
        if lock(&self.pending).is_full_for(&prepared.name) {
            self.sync()?;
        }
        let mut pending = lock(&self.pending);
        self.rename(&mut prepared, &mut pending)?;
        pending.add(&prepared.name, prepared.len);
        Ok(())
    }

    /// Renames a temporary file into place. The caller holds the pending set.
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

    /// The file of a name. `None` where there is none, and where what is there is a symlink, not a
    /// regular file, or not ours alone to write.
    ///
    /// # Errors
    /// `InvalidArg` for a name that cannot be one, `Io`.
    pub fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        self.open_how(name, Open::Read)
    }

    /// The same, to append to it. [`Self::touch_pending`] says that this was done. Nobody may append
    /// while `sync` runs, nor with a file that was opened before: a suspect file is replaced there.
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

    /// Removes the file of a name, or what else is at its path, unless that is a folder. Returns
    /// whether there was something. It is no longer pending.
    ///
    /// # Errors
    /// `InvalidArg` for a name that cannot be one, `Io`.
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

    /// Every file, in no order, temporary ones and what is no regular file left out; at most
    /// [`MAX_WALK`]. A folder that is not there has none.
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

    /// Makes a folder and those above it. Each new name must survive a power cut too.
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

/// Whether the system said that there is no such file or folder.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// A name is a plain file name that no temporary file has.
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
