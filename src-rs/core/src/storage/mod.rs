//! The doors to the disk: every byte, sync, rename and lock of the engine goes through these traits.
//!
//! [`disk`] is the real one. [`memory`] keeps files on the heap, for tests that want a disk of their
//! own. Both promise the same: a write is seen by every other handle at once, and only `sync` makes
//! it survive a power cut.

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
    /// The device it lives on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Whether it has a name. An open file without one was deleted, or another was put in its place.
    pub named: bool,
}

impl Identity {
    /// Whether both are the same file, whatever their lengths.
    #[must_use]
    pub fn same_file(&self, other: &Identity) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// A file of a folder, as a walk finds it.
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
    /// For reading; missing is `None`.
    Read,
    /// For reading and writing; missing is `None`.
    Write,
    /// For reading and writing; made where missing, private to its owner.
    Create,
    /// For reading and writing; an existing file is an error.
    CreateNew,
}

/// A file system, or what stands for one.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Opens a regular file that only we can write to, without following a symlink.
    ///
    /// # Errors
    /// `UntrustedFile` for anything else; `Io` and `NoSpace` where the system refuses.
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>>;

    /// The identity of what is at a path, or `None`.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn identity(&self, path: &Path) -> Result<Option<Identity>>;

    /// Puts one file in another's place, atomically.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Makes the names in a folder survive a power cut.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn sync_dir(&self, dir: &Path) -> Result<()>;

    /// Makes a folder and its parents, private to their owner.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn create_dirs(&self, dir: &Path) -> Result<()>;

    /// The files of a folder whose names begin with `prefix`, at most `most` of them.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>>;

    /// The regular files of a folder whose names are valid Unicode, at most `most` of them.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn walk(&self, dir: &Path, most: usize) -> Result<Vec<Listed>>;

    /// A value that differs between two boots; zero where unknown. See [`crate::clock::boot_id`].
    fn boot_id(&self) -> u64;

    /// The clock that says when files are looked at anew. See [`crate::clock::ticks_ms`].
    fn ticks_ms(&self) -> u64 {
        crate::clock::ticks_ms()
    }
}

/// An open file.
pub trait File: Send + Sync + std::fmt::Debug {
    /// The name that it was opened by.
    fn path(&self) -> &Path;

    /// What it is, and how long by now.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn identity(&self) -> Result<Identity>;

    /// How long it is by now.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn length(&self) -> Result<u64> {
        self.identity().map(|there| there.len)
    }

    /// Fills `buf` from `offset`; returns how many bytes there were before the end of the file.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// `Io` and `NoSpace` where the system refuses; part of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()>;

    /// Cuts the file, or extends it with zeros.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn set_len(&self, len: u64) -> Result<()>;

    /// Makes sure that `len` bytes have a place on the disk, so that touching a mapping of them
    /// cannot fail for want of space.
    ///
    /// # Errors
    /// `Io` and `NoSpace` where the system refuses.
    fn allocate(&self, len: u64) -> Result<()>;

    /// Finds a place on the disk for bytes that are about to be written behind the end, where that makes
    /// writing them cheaper. The file is as long as before. Returns whether to ask again for the next ones;
    /// what goes wrong here will go wrong for the write, or not matter.
    fn reserve(&self, _offset: u64, _len: u64) -> bool {
        false
    }

    /// Makes the contents survive a power cut.
    ///
    /// # Errors
    /// `Io` where the system refuses; nothing written since the last success may be relied on then.
    fn sync(&self) -> Result<()>;

    /// Takes the exclusive lock if nobody else has it.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    fn try_lock(&self) -> Result<bool>;

    /// Gives the lock back.
    fn unlock(&self);

    /// Whether mappings of this file show what others write, and do so safely.
    fn maps_are_coherent(&self) -> bool;

    /// A shared read-only mapping, or `None` where there can be none.
    fn map(&self, len: u64) -> Option<Region>;

    /// A private mapping of part of the file, or `None` where there can be none.
    fn window(&self, offset: u64, len: u64) -> Option<Window>;

    /// The file's first bytes as shared words, or `None` where there can be none.
    fn words(&self, bytes: u64, writable: bool) -> Option<SharedWords>;
}
