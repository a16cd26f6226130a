//! The real disk, through rustix.

use super::trust::Trust;
use super::{File, Identity, Listed, Open, Storage};
use crate::error::{Error, Result};
use crate::mapping::{Region, SharedWords, Window};
use rustix::fs::{FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file system of this machine.
#[derive(Debug, Default)]
pub struct Disk {
    /// Which files are opened.
    pub trust: Trust,
}

/// An open file on the real disk.
#[derive(Debug)]
struct DiskFile {
    file: std::fs::File,
    path: PathBuf,
}

fn fail(syscall: &'static str, path: &Path, errno: Errno) -> Error {
    Error::io(syscall, path, errno.into())
}

#[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
fn identity_of(stat: &Stat) -> Identity {
    Identity {
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        len: u64::try_from(stat.st_size).unwrap_or(0),
        named: stat.st_nlink != 0,
    }
}

impl Disk {
    fn untrusted(path: &Path, reason: impl Into<String>) -> Error {
        Error::UntrustedFile { path: path.to_path_buf(), reason: reason.into() }
    }
}

impl Storage for Disk {
    fn open(&self, path: &Path, how: Open) -> Result<Option<Arc<dyn File>>> {
        // NONBLOCK: opening a FIFO must not hang. It has no effect on a regular file.
        let mut flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        flags |= match how {
            Open::Read => OFlags::RDONLY,
            Open::Write => OFlags::RDWR,
            Open::Create => OFlags::RDWR | OFlags::CREATE,
            Open::CreateNew => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
        };
        let fd = match rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(Disk::untrusted(path, "is a symbolic link; give the path that it leads to"));
            }
            Err(Errno::ISDIR | Errno::NXIO) => {
                return Err(Disk::untrusted(path, "is not a regular file; choose another path"));
            }
            Err(e) => return Err(fail("open", path, e)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|e| fail("fstat", path, e))?;
        if let Some(objection) = self.trust.objection(&stat) {
            return Err(Disk::untrusted(path, objection));
        }
        Ok(Some(Arc::new(DiskFile { file: fd.into(), path: path.to_path_buf() })))
    }

    fn identity(&self, path: &Path) -> Result<Option<Identity>> {
        match rustix::fs::lstat(path) {
            Ok(stat) => Ok(Some(identity_of(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(e) => Err(fail("lstat", path, e)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        rustix::fs::rename(from, to).map_err(|e| fail("rename", to, e))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        match rustix::fs::unlink(path) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(fail("unlink", path, e)),
        }
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let fd = rustix::fs::open(dir, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| fail("open", dir, e))?;
        match rustix::fs::fsync(&fd) {
            // Some file systems cannot sync a folder.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(e) => Err(fail("fsync", dir, e)),
        }
    }

    fn create_dirs(&self, dir: &Path) -> Result<()> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|e| Error::io("mkdir", dir, e))
    }

    fn list(&self, dir: &Path, prefix: &str, most: usize) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(dir).map_err(|e| Error::io("readdir", dir, e))?;
        Ok(entries
            .filter_map(std::result::Result::ok)
            .filter(|e| e.file_name().to_str().is_some_and(|n| n.starts_with(prefix)))
            .map(|e| e.path())
            .take(most)
            .collect())
    }

    fn walk(&self, dir: &Path, most: usize) -> Result<Vec<Listed>> {
        let entries = std::fs::read_dir(dir).map_err(|e| Error::io("readdir", dir, e))?;
        let listed = |entry: std::fs::DirEntry| {
            // A file that was removed meanwhile is left out.
            let name = entry.file_name().into_string().ok()?;
            let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let since = data.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
            let modified_ns = since.and_then(|s| u64::try_from(s.as_nanos()).ok()).unwrap_or(0);
            Some(Listed { name, len: data.len(), modified_ns })
        };
        Ok(entries.filter_map(std::result::Result::ok).filter_map(listed).take(most).collect())
    }

    fn boot_id(&self) -> u64 {
        crate::clock::boot_id()
    }
}

/// ext2, 3 and 4, from linux/magic.h.
#[cfg(target_os = "linux")]
const EXT4: u32 = 0xEF53;

impl File for DiskFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn identity(&self) -> Result<Identity> {
        rustix::fs::fstat(&self.file).map(|s| identity_of(&s)).map_err(|e| fail("fstat", &self.path, e))
    }

    fn length(&self) -> Result<u64> {
        // Costs less than half of `fstat`. It moves the descriptor's position, which nothing uses: all reads and
        // writes are positioned.
        let end = rustix::fs::seek(&self.file, rustix::fs::SeekFrom::End(0));
        end.map_err(|e| fail("lseek", &self.path, e))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut done = 0usize;
        while let Some(rest) = buf.get_mut(done..).filter(|b| !b.is_empty()) {
            match self.file.read_at(rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(n) => done = done.saturating_add(n),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io("pread", &self.path, e)),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(bytes, offset).map_err(|e| Error::io("pwrite", &self.path, e))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|e| Error::io("ftruncate", &self.path, e))
    }

    #[cfg(target_os = "linux")]
    fn allocate(&self, len: u64) -> Result<()> {
        match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.write_zeros(len),
            Err(e) => Err(fail("fallocate", &self.path, e)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn allocate(&self, len: u64) -> Result<()> {
        self.write_zeros(len)
    }

    #[cfg(target_os = "linux")]
    fn reserve(&self, offset: u64, len: u64) -> bool {
        // ext4 allocates each block of a write separately unless all were requested before: a third of the time that
        // writing a megabyte takes. Other file systems gain less, and some would write zeros here.
        rustix::fs::fstatfs(&self.file).is_ok_and(|s| s.f_type as u32 == EXT4)
            && rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::KEEP_SIZE, offset, len).is_ok()
    }

    #[cfg(target_vendor = "apple")]
    fn sync(&self) -> Result<()> {
        // On macOS, fsync leaves the bytes in the drive's cache.
        rustix::fs::fcntl_fullfsync(&self.file).map_err(|e| fail("fcntl(F_FULLFSYNC)", &self.path, e))
    }

    #[cfg(not(target_vendor = "apple"))]
    fn sync(&self) -> Result<()> {
        rustix::fs::fdatasync(&self.file).map_err(|e| fail("fdatasync", &self.path, e))
    }

    fn try_lock(&self) -> Result<bool> {
        loop {
            match rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(true),
                Err(Errno::WOULDBLOCK) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(e) => return Err(fail("flock", &self.path, e)),
            }
        }
    }

    fn unlock(&self) {
        // Dropping the file is not enough: a mapping, such as a lent window, keeps its open file description and the lock.
        while rustix::fs::flock(&self.file, FlockOperation::Unlock) == Err(Errno::INTR) {}
    }

    #[cfg(target_os = "linux")]
    fn maps_are_coherent(&self) -> bool {
        // Magic numbers from linux/magic.h: NFS, SMB, SMB2, CIFS, FUSE, 9p, Ceph, AFS, OrangeFS, Coda.
        const FOREIGN: [u32; 10] = [
            0x6969,
            0x517B,
            0xFE53_4D42,
            0xFF53_4D42,
            0x6573_5546,
            0x0102_1997,
            0x00C3_6400,
            0x6B41_4653,
            0x2003_0528,
            0x7375_7245,
        ];
        rustix::fs::fstatfs(&self.file).is_ok_and(|s| !FOREIGN.contains(&(s.f_type as u32)))
    }

    #[cfg(not(target_os = "linux"))]
    fn maps_are_coherent(&self) -> bool {
        const FOREIGN: [&[u8]; 5] = [b"nfs", b"smbfs", b"webdav", b"afpfs", b"macfuse"];
        rustix::fs::fstatfs(&self.file).is_ok_and(|s| {
            let name: Vec<u8> = s.f_fstypename.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
            !FOREIGN.contains(&name.as_slice())
        })
    }

    fn map(&self, len: u64) -> Option<Region> {
        Region::new(&self.file, usize::try_from(len).ok()?).ok()
    }

    fn window(&self, offset: u64, len: u64) -> Option<Window> {
        Window::new(&self.file, offset, usize::try_from(len).ok()?).ok()
    }

    fn words(&self, bytes: u64, writable: bool) -> Option<SharedWords> {
        SharedWords::map(&self.file, usize::try_from(bytes).ok()?, writable).ok()
    }
}

impl DiskFile {
    /// Allocates by writing zeros behind the end, for systems without a call for it. At most 8 MiB: only sidecars are
    /// allocated, and they are shorter.
    fn write_zeros(&self, len: u64) -> Result<()> {
        let from = self.identity()?.len;
        let missing = usize::try_from(len.saturating_sub(from)).unwrap_or(usize::MAX);
        self.write_at(&vec![0; missing.min(crate::limits::WRITE_CHUNK * 8)], from)
    }
}

/// Opens a file that does not belong to a cache, such as a source, for reading. `None` if it cannot be opened or is not a
/// regular file: opening a pipe could wait for its writer, or take what was written for another reader. The file may be
/// replaced between the check and the opening, so callers must check the opened file, too.
#[must_use]
pub fn open_regular(path: impl rustix::path::Arg + Copy) -> Option<std::os::fd::OwnedFd> {
    let stat = rustix::fs::stat(path).ok()?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return None;
    }
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()).ok()
}
