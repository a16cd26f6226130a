//! What a process asks before each call of the disk, and what lets it continue, wait or fail.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

/// Decides when a process continues.
pub trait Turn: Send + Sync {
    /// Waits until this process may continue. `Err` if the process is dead, or if this call must fail.
    fn take(&self, call: Call) -> std::result::Result<(), io::ErrorKind>;

    /// Called when the lock of a file was released.
    fn freed(&self, _inode: u64) {}
}

/// The kind of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Look,
    Change,
    Sync,
    /// An attempt to lock a file (inode), and whether the lock is free.
    Lock(u64, bool),
}

/// For a process that is never interrupted.
pub struct Alone;

impl Turn for Alone {
    fn take(&self, _: Call) -> std::result::Result<(), io::ErrorKind> {
        Ok(())
    }
}

/// For a process that is never interrupted, on a disk that fails `calls` changes and syncs in a row, after
/// `left` others.
pub struct Failing {
    pub left: AtomicI64,
    pub calls: i64,
}

impl Turn for Failing {
    fn take(&self, call: Call) -> std::result::Result<(), io::ErrorKind> {
        let kind = match call {
            Call::Change => io::ErrorKind::StorageFull,
            Call::Sync => io::ErrorKind::Other,
            _ => return Ok(()),
        };
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left <= 0 && left > -self.calls { Err(kind) } else { Ok(()) }
    }
}
