//! The state of a file: size, times and inode, and a digest of its bytes.
//!
//! As long as size, times and inode are equal, the file was not touched. If they differ, the bytes decide, so that a
//! checkout, an image layer or another link to the file costs a read, but no compilation.

use crate::clock::now_ns;
use crate::limits::{MAX_PROGRAM_SOURCE, RACY_NS};
use crate::storage::disk::open_regular;
use rustix::fs::{FileType, Stat};
use xxhash_rust::xxh3::xxh3_128;

/// Length of an encoded stamp in bytes.
pub const STAMP_LEN: usize = 56;

/// How long a change may go unnoticed if both times of a file are whole seconds, in nanoseconds: its file system may
/// not store finer ones.
const COARSE_RACY_NS: u64 = 2_000_000_000;

/// Room after the bytes of a file: one byte to detect its end, the others for the end of the wrapper.
const SPARE: usize = 16;

/// The result of one `stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub kind: FileType,
    size: u64,
    mtime: (i64, u32),
    ctime: (i64, u32),
    inode: u64,
}

impl Look {
    /// Stats a path, following links. `None` if there is nothing.
    #[must_use]
    pub fn at(path: &[u8]) -> Option<Self> {
        rustix::fs::stat(path).ok().map(|stat| Self::from(&stat))
    }

    /// Stats a path without following a link at its end.
    #[must_use]
    pub fn at_link(path: &[u8]) -> Option<Self> {
        rustix::fs::lstat(path).ok().map(|stat| Self::from(&stat))
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind == FileType::RegularFile
    }

    #[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
    fn from(stat: &Stat) -> Self {
        Look {
            kind: FileType::from_raw_mode(stat.st_mode),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
            inode: stat.st_ino as u64,
        }
    }

    /// Whether another file in its place may look the same. If both times are the same whole second, the file may be in
    /// an image (squashfs, erofs) that was made with one time for all files and with inodes in order.
    fn is_of_image(&self) -> bool {
        self.mtime == self.ctime && self.ctime.1 == 0
    }

    /// Whether a change after `now`, in nanoseconds since the epoch, may leave all times as they are.
    fn is_racy(&self, now: u64) -> bool {
        let settles = |(sec, nsec): (i64, u32), coarse: bool| {
            let at =
                u64::try_from(sec).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(nsec.into());
            at.saturating_add(if coarse { COARSE_RACY_NS } else { RACY_NS })
        };
        let coarse = self.mtime.1 == 0 && self.ctime.1 == 0;
        settles(self.mtime, coarse).max(settles(self.ctime, coarse)) >= now
    }
}

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// `None` if a later change might not show in it: then the bytes decide each time.
    look: Option<Look>,
    size: u64,
    digest: u128,
}

impl Stamp {
    /// Reads a file and its stamp. `None` if there is no regular file, if it is too large, or if it changes while it is
    /// read.
    #[must_use]
    pub fn read(path: &[u8]) -> Option<(Self, Vec<u8>)> {
        Stamp::read_behind(path, 0)
    }

    /// The same, with `ahead` zeros in front of the bytes.
    #[must_use]
    pub fn read_behind(path: &[u8], ahead: usize) -> Option<(Self, Vec<u8>)> {
        let now = now_ns();
        let file = open_regular(path)?;
        let look = || rustix::fs::fstat(&file).ok().map(|stat| Look::from(&stat));
        let before = look()?;
        if !before.is_file() || before.size > MAX_PROGRAM_SOURCE {
            return None;
        }
        let size = usize::try_from(before.size).ok()?;
        let mut bytes = vec![0; size.checked_add(ahead)?.checked_add(SPARE)?];
        let mut filled = ahead;
        loop {
            match rustix::io::read(&file, bytes.get_mut(filled..)?) {
                Ok(0) => break,
                Ok(more) => filled = filled.checked_add(more)?,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        if look()? != before || filled.checked_sub(ahead) != Some(size) {
            return None;
        }
        bytes.truncate(filled);
        let look = (!before.is_racy(now) && !before.is_of_image()).then_some(before);
        Some((Stamp { look, size: before.size, digest: xxh3_128(bytes.get(ahead..)?) }, bytes))
    }

    /// Whether a `stat` shows the same state, so that the bytes need not be compared.
    #[must_use]
    pub fn is_untouched(&self, look: &Look) -> bool {
        self.look.as_ref() == Some(look)
    }

    /// The present stamp of a file that was touched, if its bytes are still the same.
    #[must_use]
    pub fn same_bytes(&self, path: &[u8], look: &Look) -> Option<Stamp> {
        if look.size != self.size || !look.is_file() {
            return None;
        }
        let (today, _) = Stamp::read(path)?;
        (today.digest == self.digest && today.size == self.size).then_some(today)
    }

    /// The XXH3-128 digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// Whether only the bytes can tell this state from a later one.
    #[must_use]
    pub fn is_racy(&self) -> bool {
        self.look.is_none()
    }

    /// Encodes the stamp; without a `stat`, its fields are zeros.
    #[must_use]
    pub fn encode(&self) -> [u8; STAMP_LEN] {
        let none = Look { kind: FileType::RegularFile, size: 0, mtime: (0, 0), ctime: (0, 0), inode: 0 };
        let look = self.look.unwrap_or(none);
        let mut out = [0; STAMP_LEN];
        let fields: [&[u8]; 7] = [
            &self.size.to_le_bytes(),
            &look.mtime.0.to_le_bytes(),
            &look.ctime.0.to_le_bytes(),
            &look.inode.to_le_bytes(),
            &look.mtime.1.to_le_bytes(),
            &look.ctime.1.to_le_bytes(),
            &self.digest.to_le_bytes(),
        ];
        for (to, from) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        out
    }

    /// Decodes a stamp.
    #[must_use]
    pub fn decode(bytes: &[u8; STAMP_LEN]) -> Self {
        let mut at = bytes.as_slice();
        let size = take(&mut at).map_or(0, u64::from_le_bytes);
        let mtime = take(&mut at).map_or(0, i64::from_le_bytes);
        let ctime = take(&mut at).map_or(0, i64::from_le_bytes);
        let inode = take(&mut at).map_or(0, u64::from_le_bytes);
        let mtime = (mtime, take(&mut at).map_or(0, u32::from_le_bytes));
        let ctime = (ctime, take(&mut at).map_or(0, u32::from_le_bytes));
        let digest = take(&mut at).map_or(0, u128::from_le_bytes);
        let look = Look { kind: FileType::RegularFile, size, mtime, ctime, inode };
        Stamp { look: (ctime.0 != 0).then_some(look), size, digest }
    }
}

/// Removes the next bytes of a slice and returns them.
pub(super) fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise, after a container image is rebuilt with another source of the same length, the old source would run.
    #[test]
    fn times_that_say_nothing_are_not_trusted() {
        let look = |mtime, ctime| Look { kind: FileType::RegularFile, size: 1, mtime, ctime, inode: 1 };
        assert!(look((499_162_500, 0), (499_162_500, 0)).is_of_image());
        // Unpacked by npm; written just now.
        assert!(!look((499_162_500, 0), (1_700_000_000, 5)).is_of_image());
        assert!(!look((499_162_500, 0), (1_700_000_000, 0)).is_of_image());
        assert!(!look((1_700_000_000, 5), (1_700_000_000, 5)).is_of_image());
    }
}
