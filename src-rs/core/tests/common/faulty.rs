//! A disk that fails the calls that a test selects.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use warmshard_core::Result;
use warmshard_core::mapping::{Region, SharedWords, Window};
use warmshard_core::storage::{File, Identity, Listed, Open, Storage};

/// Called before each call that changes or syncs something, with the name of the call and the path. Its error
/// becomes that of the call.
type Strike = Arc<dyn Fn(&'static str, &Path) -> Result<()> + Send + Sync>;

pub struct Faulty {
    disk: Box<dyn Storage>,
    strike: Strike,
    /// Whether `strike` is also called before unlinking.
    removals: bool,
    /// Whether `strike` is also called before reading.
    reads: bool,
    /// Whether files are really synced.
    syncs: bool,
}

struct FaultyFile {
    file: Arc<dyn File>,
    reads: bool,
    syncs: bool,
    path: PathBuf,
    strike: Strike,
}

impl Faulty {
    pub fn new(
        disk: impl Storage + 'static,
        strike: impl Fn(&'static str, &Path) -> Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (disk, strike) = (Box::new(disk), Arc::new(strike));
        Arc::new(Faulty { disk, strike, removals: false, reads: false, syncs: true })
    }

    pub fn with_reads(
        disk: impl Storage + 'static,
        strike: impl Fn(&'static str, &Path) -> Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (disk, strike) = (Box::new(disk), Arc::new(strike));
        Arc::new(Faulty { disk, strike, removals: false, reads: true, syncs: false })
    }

    /// A disk that fails nothing and does not really sync.
    pub fn unsynced(disk: impl Storage + 'static) -> Arc<Self> {
        Arc::new(Faulty {
            disk: Box::new(disk),
            strike: Arc::new(|_, _| Ok(())),
            removals: false,
            reads: false,
            syncs: false,
        })
    }

    pub fn with_removals(
        disk: impl Storage + 'static,
        strike: impl Fn(&'static str, &Path) -> Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (disk, strike) = (Box::new(disk), Arc::new(strike));
        Arc::new(Faulty { disk, strike, removals: true, reads: false, syncs: true })
    }
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

impl std::fmt::Debug for FaultyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyFile")
    }
}

impl Storage for Faulty {
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>> {
        if how == Open::CreateNew {
            (self.strike)("open", path)?;
        }
        let (strike, syncs, reads) = (&self.strike, self.syncs, self.reads);
        Ok(self.disk.open(path, how)?.map(|file| -> Arc<dyn File> {
            Arc::new(FaultyFile { file, reads, syncs, path: path.into(), strike: Arc::clone(strike) })
        }))
    }
    fn identity(&self, path: &Path) -> Result<Option<Identity>> {
        self.disk.identity(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        (self.strike)("rename", from)?;
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<()> {
        if self.removals {
            (self.strike)("unlink", path)?;
        }
        self.disk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> Result<()> {
        (self.strike)("fsync", dir)?;
        self.disk.sync_dir(dir)
    }
    fn create_dirs(&self, dir: &Path) -> Result<()> {
        self.disk.create_dirs(dir)
    }
    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>> {
        self.disk.list(dir, prefix, most)
    }
    fn walk(&self, dir: &Path, most: usize) -> Result<Vec<Listed>> {
        self.disk.walk(dir, most)
    }
    fn boot_id(&self) -> u64 {
        self.disk.boot_id()
    }
}

impl File for FaultyFile {
    fn path(&self) -> &Path {
        self.file.path()
    }
    fn identity(&self) -> Result<Identity> {
        self.file.identity()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        if self.reads {
            (self.strike)("pread", &self.path)?;
        }
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        if let Err(error) = (self.strike)("pwrite", &self.path) {
            // As on a full disk, the first half is written.
            self.file.write_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(error);
        }
        self.file.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> Result<()> {
        (self.strike)("ftruncate", &self.path)?;
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> Result<()> {
        (self.strike)("fallocate", &self.path)?;
        self.file.allocate(len)
    }
    fn reserve(&self, offset: u64, len: u64) -> bool {
        (self.strike)("reserve", &self.path).is_ok() && self.file.reserve(offset, len)
    }
    fn sync(&self) -> Result<()> {
        (self.strike)("fdatasync", &self.path)?;
        if self.syncs { self.file.sync() } else { Ok(()) }
    }
    fn try_lock(&self) -> Result<bool> {
        self.file.try_lock()
    }
    fn unlock(&self) {
        self.file.unlock();
    }
    fn maps_are_coherent(&self) -> bool {
        self.file.maps_are_coherent()
    }
    fn map(&self, len: u64) -> Option<Region> {
        self.file.map(len)
    }
    fn window(&self, offset: u64, len: u64) -> Option<Window> {
        self.file.window(offset, len)
    }
    fn words(&self, bytes: u64, writable: bool) -> Option<SharedWords> {
        self.file.words(bytes, writable)
    }
}
