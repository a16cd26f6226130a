//! What stands between a process and the disk: somebody who lets it go on, makes it wait, or refuses.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a process asks before each call.
pub trait Turn: Send + Sync {
    /// Waits for its turn. `Err` where the process is dead, or this call is to fail.
    fn take(&self, call: Call) -> std::result::Result<(), io::ErrorKind>;

    /// A lock was given back.
    fn freed(&self, _inode: u64) {}
}

/// Which call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Look,
    Change,
    Sync,
    /// A try for a lock: of a file, and whether it is free.
    Lock(u64, bool),
}

/// A process that is alone and lives on.
pub struct Alone;

impl Turn for Alone {
    fn take(&self, _: Call) -> std::result::Result<(), io::ErrorKind> {
        Ok(())
    }
}

/// A process that is alone on a disk which refuses one change or sync, or all from then on for a while.
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
