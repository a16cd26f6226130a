//! The simulated disk, as a process sees it.
//!
//! Each process of a simulation has its own `Door` to the same platter. Before each call the door asks its `Turn`,
//! which may let others go first, or kill the process there: then every later call fails and changes nothing.
//! A sidecar cannot be mapped here, so that the words of its page are read and written one by one through the same
//! calls, and a process can be interrupted between any two of them.

use super::cut::{Change, Log};
use super::platter::{Bytes, Image, Platter};
use super::turn::{Alone, Call, Turn};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use warmshard_core::clock::ticks_ms;
use warmshard_core::mapping::{Region, SharedWords, Window};
use warmshard_core::storage::{File, Identity, Listed, Open, Storage};
use warmshard_core::{Error, Result};

/// How a process accesses the disk.
#[derive(Clone)]
pub struct Door {
    platter: Arc<Mutex<Platter>>,
    turn: Arc<Mutex<Arc<dyn Turn>>>,
    /// Whether reading words of the page fails.
    blind: Arc<AtomicBool>,
}

struct DoorFile {
    door: Door,
    inode: u64,
    descriptor: u64,
    path: PathBuf,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Door")
    }
}

impl std::fmt::Debug for DoorFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DoorFile")
    }
}

impl Door {
    /// A disk with these files, all of them synced. With `real`, they can be mapped.
    pub fn new(image: Image, boot: u64, real: bool) -> Self {
        let mut platter = Platter { boot, real, ..Platter::default() };
        for (path, bytes) in image {
            let inode = platter.make(&bytes);
            platter.names.insert(path.clone(), inode);
            platter.log.there(path, inode, bytes);
        }
        let turn: Arc<dyn Turn> = Arc::new(Alone);
        Door {
            platter: Arc::new(Mutex::new(platter)),
            turn: Arc::new(Mutex::new(turn)),
            blind: Arc::default(),
        }
    }

    /// The same disk for another process.
    pub fn for_process(&self, turn: Arc<dyn Turn>) -> Self {
        Door { platter: Arc::clone(&self.platter), turn: Arc::new(Mutex::new(turn)), blind: Arc::default() }
    }

    /// Sets whether reading words of the page fails for this process.
    pub fn blind(&self, blind: bool) {
        self.blind.store(blind, Ordering::SeqCst);
    }

    /// Sets the `Turn`, also for clones of this door and files opened with it.
    pub fn turns(&self, turn: Arc<dyn Turn>) {
        *self.turn.lock().unwrap() = turn;
    }

    fn turn(&self) -> Arc<dyn Turn> {
        Arc::clone(&self.turn.lock().unwrap())
    }

    pub fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap()
    }

    /// Stops logging, and frees the log.
    pub fn forget(&self) {
        let mut platter = self.platter();
        platter.log = Log::default();
        platter.unlogged = true;
    }

    /// Advances the time by one step, and returns it.
    pub fn tick(&self) -> u64 {
        let mut platter = self.platter();
        platter.time += 1;
        platter.time
    }

    /// All files as they are now.
    pub fn image(&self) -> Image {
        let platter = self.platter();
        platter.names.iter().map(|(path, inode)| (path.clone(), platter.inodes[inode].all())).collect()
    }

    fn take(&self, call: Call, what: &'static str, path: &Path) -> Result<MutexGuard<'_, Platter>> {
        self.turn().take(call).map_err(|kind| Error::io(what, path, kind.into()))?;
        let mut platter = self.platter();
        platter.time += 1;
        Ok(platter)
    }
}

impl Storage for Door {
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>> {
        let mut platter = self.take(Call::Look, "open", path)?;
        let inode = match (platter.names.get(path).copied(), how) {
            (Some(_), Open::CreateNew) => {
                return Err(Error::io("open", path, io::ErrorKind::AlreadyExists.into()));
            }
            (Some(inode), _) => inode,
            (None, Open::Read | Open::Write) => return Ok(None),
            (None, Open::Create | Open::CreateNew) => {
                let inode = platter.make(&[]);
                platter.names.insert(path.into(), inode);
                platter.note(Change::Create(path.into(), inode));
                inode
            }
        };
        platter.next += 1;
        let descriptor = platter.next;
        Ok(Some(Arc::new(DoorFile { door: self.clone(), inode, descriptor, path: path.into() })))
    }

    fn identity(&self, path: &Path) -> Result<Option<Identity>> {
        let platter = self.take(Call::Look, "lstat", path)?;
        Ok(platter.names.get(path).map(|inode| platter.identity(*inode)))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut platter = self.take(Call::Change, "rename", from)?;
        let Some(inode) = platter.names.remove(from) else {
            return Err(Error::io("rename", from, io::ErrorKind::NotFound.into()));
        };
        let old = platter.names.insert(to.into(), inode);
        platter.unname(old);
        platter.note(Change::Rename(from.into(), to.into()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let mut platter = self.take(Call::Change, "unlink", path)?;
        if let Some(inode) = platter.names.remove(path) {
            platter.unname(Some(inode));
            platter.note(Change::Remove(path.into()));
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.take(Call::Sync, "fsync", dir)?.note(Change::SyncNames);
        Ok(())
    }

    fn create_dirs(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>> {
        let platter = self.take(Call::Look, "readdir", dir)?;
        let ours = |p: &&PathBuf| {
            p.parent() == Some(dir) && p.file_name().unwrap().to_str().unwrap().starts_with(prefix)
        };
        Ok(platter.names.keys().filter(ours).take(most).cloned().collect())
    }

    fn walk(&self, _: &Path, _: usize) -> Result<Vec<Listed>> {
        Ok(Vec::new())
    }

    fn boot_id(&self) -> u64 {
        self.platter().boot
    }

    fn ticks_ms(&self) -> u64 {
        ticks_ms() + self.platter().ahead_ms
    }
}

impl DoorFile {
    fn is_page(&self) -> bool {
        self.path.extension().is_some_and(|e| e == "lock")
    }
}

impl File for DoorFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn identity(&self) -> Result<Identity> {
        Ok(self.door.take(Call::Look, "fstat", &self.path)?.identity(self.inode))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut platter = self.door.take(Call::Look, "pread", &self.path)?;
        if self.is_page() && self.door.blind.load(Ordering::SeqCst) {
            return Err(Error::io("pread", &self.path, io::ErrorKind::Other.into()));
        }
        let read = platter.inodes[&self.inode].read(buf, offset);
        platter.read += read as u64;
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        // A real page is mapped memory, to which writes do not fail.
        let call = if self.is_page() { Call::Look } else { Call::Change };
        let mut platter = match self.door.take(call, "pwrite", &self.path) {
            Ok(platter) => platter,
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::StorageFull => {
                // As on a full disk, the first half is written.
                let mut platter = self.door.platter();
                let half = bytes[..bytes.len() / 2].to_vec();
                platter.inodes.get_mut(&self.inode).unwrap().write(&half, offset);
                platter.note(Change::Write(self.inode, offset, half));
                return Err(Error::io("pwrite", &self.path, io::ErrorKind::StorageFull.into()));
            }
            Err(error) => return Err(error),
        };
        platter.inodes.get_mut(&self.inode).unwrap().write(bytes, offset);
        platter.note(Change::Write(self.inode, offset, bytes.to_vec()));
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut platter = self.door.take(Call::Change, "ftruncate", &self.path)?;
        platter.inodes.get_mut(&self.inode).unwrap().set_len(len);
        platter.note(Change::SetLen(self.inode, len));
        Ok(())
    }

    fn allocate(&self, len: u64) -> Result<()> {
        if self.identity()?.len < len { self.set_len(len) } else { Ok(()) }
    }

    fn sync(&self) -> Result<()> {
        match self.door.take(Call::Sync, "fdatasync", &self.path) {
            Ok(mut platter) => {
                platter.note(Change::Sync(self.inode));
                Ok(())
            }
            Err(error) => {
                let refused =
                    matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::Other);
                if refused {
                    // The kernel drops what it could not write, and marks it as clean.
                    self.door.platter().note(Change::FailedSync(self.inode));
                }
                Err(error)
            }
        }
    }

    fn try_lock(&self) -> Result<bool> {
        let free = {
            let by = self.door.platter().inodes[&self.inode].locked_by;
            by == 0 || by == self.descriptor
        };
        let mut platter = self.door.take(Call::Lock(self.inode, free), "flock", &self.path)?;
        let by = &mut platter.inodes.get_mut(&self.inode).unwrap().locked_by;
        if *by == 0 {
            *by = self.descriptor;
        }
        Ok(*by == self.descriptor)
    }

    fn unlock(&self) {
        let mut platter = self.door.platter();
        let by = &mut platter.inodes.get_mut(&self.inode).unwrap().locked_by;
        if *by == self.descriptor {
            *by = 0;
            drop(platter);
            self.door.turn().freed(self.inode);
        }
    }

    fn maps_are_coherent(&self) -> bool {
        true
    }

    fn map(&self, len: u64) -> Option<Region> {
        match &self.door.platter().inodes[&self.inode].bytes {
            Bytes::Real(file) => Region::new(file, len as usize).ok(),
            Bytes::Heap(_) => None,
        }
    }

    fn window(&self, _: u64, _: u64) -> Option<Window> {
        None
    }

    fn words(&self, _: u64, _: bool) -> Option<SharedWords> {
        None
    }
}

impl Drop for DoorFile {
    fn drop(&mut self) {
        self.unlock();
    }
}
