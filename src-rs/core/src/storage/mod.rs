//! Access to the disk: every read, write, sync, rename and lock of the engine goes through these traits.
//!
//! [`disk`] is the real disk. [`memory`] keeps files on the heap, for tests. Both keep the same
//! promise: every other handle sees a write at once, and only `sync` makes it survive a power cut.

pub mod disk;
pub mod memory;
pub mod refusal;
pub mod trust;

use crate::error::Result;
use crate::mapping::{Region, SharedWords, Window};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What tells one file from another, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The device that it is on.
    pub device: u64,
    /// Its inode number on that device.
    pub inode: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Whether it has a name. An open file without one was deleted, or another file was renamed over it.
    pub named: bool,
}

impl Identity {
    /// Whether both are the same file, whatever their lengths.
    #[must_use]
    pub fn same_file(&self, other: &Identity) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// A file that a walk found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name in the folder.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// When it was last modified, in nanoseconds since the epoch.
    pub modified_ns: u64,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// For reading. `None` if there is no such file.
    Read,
    /// For reading and writing. `None` if there is no such file.
    Write,
    /// For reading and writing. A missing file is created, private to its owner; `None` if its folder is missing.
    Create,
    /// For reading and writing, like `Create`, but an existing file is an error.
    CreateNew,
}

/// A file system, real or simulated.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Opens a regular file that is trusted (see [`trust`]), without following a symbolic link.
    ///
    /// # Errors
    /// `UntrustedFile` for any other file; `Io` and `NoSpace` if a system call fails.
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>>;

    /// The identity of the file at a path, or `None` if there is none.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn identity(&self, path: &Path) -> Result<Option<Identity>>;

    /// Renames a file, atomically replacing the one at the new path.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file. A missing file is not an error.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Syncs a folder, so that its file names survive a power cut.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn sync_dir(&self, dir: &Path) -> Result<()>;

    /// Creates a folder and its parents, private to their owner.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn create_dirs(&self, dir: &Path) -> Result<()>;

    /// The files of a folder whose names begin with `prefix`, at most `most` of them.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>>;

    /// The regular files of a folder whose names are valid Unicode, at most `most` of them.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn walk(&self, dir: &Path, most: usize) -> Result<Vec<Listed>>;

    /// A value that differs between any two boots; zero if unknown. See [`crate::clock::boot_id`].
    fn boot_id(&self) -> u64;

    /// The clock that decides when paths are checked again. See [`crate::clock::ticks_ms`].
    fn ticks_ms(&self) -> u64 {
        crate::clock::ticks_ms()
    }
}

/// An open file.
pub trait File: Send + Sync + std::fmt::Debug {
    /// The path by which it was opened.
    fn path(&self) -> &Path;

    /// Its identity, with its current length.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn identity(&self) -> Result<Identity>;

    /// Its current length in bytes.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn length(&self) -> Result<u64> {
        self.identity().map(|there| there.len)
    }

    /// Fills `buf` with the bytes from `offset` on. Returns how many bytes were read, fewer only at the end of the file.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails; part of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()>;

    /// Cuts the file to this length, or extends it with zeros.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn set_len(&self, len: u64) -> Result<()>;

    /// Makes the file at least `len` bytes long and allocates disk space for them, so that writing to a
    /// mapping of them cannot fail because the disk is full.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails.
    fn allocate(&self, len: u64) -> Result<()>;

    /// Allocates disk space for bytes that are about to be appended, on file systems where that makes
    /// writing them cheaper. The file's length does not change. Returns whether the caller should do the
    /// same for the next bytes. A failure is not an error: if it matters, the write will fail as well.
    fn reserve(&self, _offset: u64, _len: u64) -> bool {
        false
    }

    /// Syncs the file, so that its contents survive a power cut.
    ///
    /// # Errors
    /// `Io` if a system call fails; then nothing that was written since the last successful sync is certain to survive.
    fn sync(&self) -> Result<()>;

    /// Takes the exclusive lock, unless another open file holds it. Returns whether it was taken.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    fn try_lock(&self) -> Result<bool>;

    /// Releases the lock.
    fn unlock(&self);

    /// Whether mappings of this file are safe and show at once what other processes, on any machine, write.
    fn maps_are_coherent(&self) -> bool;

    /// A shared read-only mapping, or `None` if the file cannot be mapped.
    fn map(&self, len: u64) -> Option<Region>;

    /// A private mapping of part of the file, or `None` if it cannot be mapped.
    fn window(&self, offset: u64, len: u64) -> Option<Window>;

    /// The file's first bytes as shared words, or `None` if they cannot be mapped.
    fn words(&self, bytes: u64, writable: bool) -> Option<SharedWords>;
}
