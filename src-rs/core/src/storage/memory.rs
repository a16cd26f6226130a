//! A disk on the heap, for tests. It has no mappings of files, so everything goes through positioned reads.

use super::{File, Identity, Listed, Open, Storage};
use crate::error::{Error, Result};
use crate::mapping::{Region, SharedWords, Window};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Words that a file can share: the sidecar's page and a recency table of 16,384 ticks.
const WORDS: usize = 512 + (1 << 14) / 2;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Inode {
    number: u64,
    bytes: Mutex<Vec<u8>>,
    named: AtomicBool,
    words: Mutex<Option<Arc<[AtomicU64]>>>,
    /// The descriptor that holds the lock; zero for none.
    locked_by: AtomicU64,
}

/// The disk. Clones share its files.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    names: Arc<Mutex<BTreeMap<PathBuf, Arc<Inode>>>>,
    next: Arc<AtomicU64>,
    boot: Arc<AtomicU64>,
}

#[derive(Debug)]
struct MemoryFile {
    inode: Arc<Inode>,
    descriptor: u64,
    path: PathBuf,
}

impl Memory {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        let disk = Memory::default();
        disk.boot.store(1, Ordering::SeqCst);
        disk
    }

    /// Simulates a reboot: the boot id changes, so sidecars are no longer believed, and all locks are released.
    pub fn reboot(&self) {
        self.boot.fetch_add(1, Ordering::SeqCst);
        for inode in lock(&self.names).values() {
            inode.locked_by.store(0, Ordering::SeqCst);
        }
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        lock(&self.names).get(path).map(|i| lock(&i.bytes).clone())
    }

    /// Replaces the bytes of a file.
    pub fn set_bytes(&self, path: &Path, bytes: Vec<u8>) {
        if let Some(inode) = lock(&self.names).get(path) {
            *lock(&inode.bytes) = bytes;
        }
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }
}

impl Storage for Memory {
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>> {
        let mut names = lock(&self.names);
        let inode = match (names.get(path), how) {
            (Some(_), Open::CreateNew) => {
                return Err(Error::io("open", path, io::Error::from(io::ErrorKind::AlreadyExists)));
            }
            (Some(inode), _) => Arc::clone(inode),
            (None, Open::Read | Open::Write) => return Ok(None),
            (None, Open::Create | Open::CreateNew) => {
                let inode = Arc::new(Inode {
                    number: self.number(),
                    bytes: Mutex::default(),
                    named: AtomicBool::new(true),
                    words: Mutex::default(),
                    locked_by: AtomicU64::new(0),
                });
                names.insert(path.to_path_buf(), Arc::clone(&inode));
                inode
            }
        };
        Ok(Some(Arc::new(MemoryFile { inode, descriptor: self.number(), path: path.to_path_buf() })))
    }

    fn identity(&self, path: &Path) -> Result<Option<Identity>> {
        Ok(lock(&self.names).get(path).map(|i| i.identity()))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut names = lock(&self.names);
        let Some(inode) = names.remove(from) else {
            return Err(Error::io("rename", from, io::Error::from(io::ErrorKind::NotFound)));
        };
        forget(names.insert(to.to_path_buf(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        forget(lock(&self.names).remove(path));
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn create_dirs(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>> {
        let names = lock(&self.names);
        let ours = |p: &&PathBuf| {
            p.parent() == Some(dir)
                && p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(prefix))
        };
        Ok(names.keys().filter(ours).take(most).cloned().collect())
    }

    fn walk(&self, dir: &Path, most: usize) -> Result<Vec<Listed>> {
        let names = lock(&self.names);
        let listed = |(path, inode): (&PathBuf, &Arc<Inode>)| {
            let name = path.file_name().filter(|_| path.parent() == Some(dir))?.to_str()?;
            // There is no clock here; numbers in order of creation serve as times.
            Some(Listed { name: name.into(), len: inode.identity().len, modified_ns: inode.number })
        };
        Ok(names.iter().filter_map(listed).take(most).collect())
    }

    fn boot_id(&self) -> u64 {
        self.boot.load(Ordering::SeqCst)
    }
}

impl Inode {
    fn identity(&self) -> Identity {
        let named = self.named.load(Ordering::SeqCst);
        Identity { device: 1, inode: self.number, len: lock(&self.bytes).len() as u64, named }
    }
}

/// Marks a file as one without a name.
fn forget(inode: Option<Arc<Inode>>) {
    if let Some(inode) = inode {
        inode.named.store(false, Ordering::SeqCst);
    }
}

impl File for MemoryFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn identity(&self) -> Result<Identity> {
        Ok(self.inode.identity())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let bytes = lock(&self.inode.bytes);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let there = bytes.get(from..).unwrap_or_default();
        let n = there.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(there) {
            *to = *from;
        }
        Ok(n)
    }

    fn write_at(&self, new: &[u8], offset: u64) -> Result<()> {
        let mut bytes = lock(&self.inode.bytes);
        let no_space = || Error::io("pwrite", &self.path, io::Error::from(io::ErrorKind::StorageFull));
        let from = usize::try_from(offset).map_err(|_| no_space())?;
        let end = from.checked_add(new.len()).ok_or_else(no_space)?;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        if let Some(to) = bytes.get_mut(from..end) {
            to.copy_from_slice(new);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        lock(&self.inode.bytes).resize(usize::try_from(len).unwrap_or(0), 0);
        Ok(())
    }

    fn allocate(&self, len: u64) -> Result<()> {
        let mut bytes = lock(&self.inode.bytes);
        let len = usize::try_from(len).unwrap_or(0).max(bytes.len());
        bytes.resize(len, 0);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> Result<bool> {
        let by = &self.inode.locked_by;
        let free = by.compare_exchange(0, self.descriptor, Ordering::SeqCst, Ordering::SeqCst);
        Ok(free.is_ok() || free == Err(self.descriptor))
    }

    fn unlock(&self) {
        let _ = self.inode.locked_by.compare_exchange(self.descriptor, 0, Ordering::SeqCst, Ordering::SeqCst);
    }

    fn maps_are_coherent(&self) -> bool {
        true
    }

    fn map(&self, _: u64) -> Option<Region> {
        None
    }

    fn window(&self, _: u64, _: u64) -> Option<Window> {
        None
    }

    fn words(&self, _: u64, _: bool) -> Option<SharedWords> {
        let mut words = lock(&self.inode.words);
        let words = words.get_or_insert_with(|| (0..WORDS).map(|_| AtomicU64::new(0)).collect());
        SharedWords::heap(Arc::clone(words))
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.unlock();
    }
}
