//! A source file as `stat` describes it: which file it is, and in which state.

use crate::state::is_racy;
use crate::validator::Validator;
use rustix::fs::{FileType, Stat};
use std::ffi::CStr;

/// The result of one `stat` of a source. Two equal ones mean the same file in the same state, except for
/// changes within the clock's granularity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState {
    device: u64,
    inode: u64,
    size: u64,
    mtime: (i64, u32),
    ctime: (i64, u32),
    /// Number of hard links.
    links: u64,
}

impl FileState {
    /// Stats a file, following links: one system call. `None` if there is no regular file or no permission.
    pub fn of(path: &CStr) -> Option<Self> {
        let stat = rustix::fs::stat(path).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then(|| Self::from(&stat))
    }

    /// The same for a path that contains no symbolic link: `None` also if it does, or if the system has no
    /// `openat2`.
    #[cfg(target_os = "linux")]
    pub fn of_linkless(path: &CStr) -> Option<Self> {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let fd = rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).ok()?;
        let stat = rustix::fs::fstat(fd).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then(|| Self::from(&stat))
    }

    /// There is no `openat2` here.
    #[cfg(not(target_os = "linux"))]
    pub fn of_linkless(_: &CStr) -> Option<Self> {
        None
    }

    #[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
    fn from(stat: &Stat) -> Self {
        FileState {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: (stat.st_mtime, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime, stat.st_ctime_nsec as u32),
            links: stat.st_nlink as u64,
        }
    }

    /// Whether both are the same file, which was not touched in between: any change of a file or of its
    /// names changes its ctime.
    #[inline(always)]
    pub fn same_untouched(&self, other: &FileState) -> bool {
        self.inode == other.inode && self.ctime == other.ctime && self.device == other.device
    }

    /// Whether the file has only one name.
    pub fn has_one_name(&self) -> bool {
        self.links == 1
    }

    /// Whether a change after `now_ns` certainly shows in the ctime.
    pub fn is_settled(&self, now_ns: u64) -> bool {
        !is_racy(self.ctime.0, self.ctime.1, now_ns)
    }

    /// Whether a change after `now_ns` may leave modification time and size as they are.
    pub fn is_racy(&self, now_ns: u64) -> bool {
        is_racy(self.mtime.0, self.mtime.1, now_ns)
    }

    /// The validator of an entry made from this state.
    #[inline(always)]
    pub fn validator(&self) -> Validator<'static> {
        let (sec, nsec) = self.mtime;
        Validator::Mtime { sec, nsec, size: Some(self.size) }
    }
}
