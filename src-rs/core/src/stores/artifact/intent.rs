//! Markers of unfinished work: a process that has written payloads and not yet their rows holds a locked
//! file in the folder of temporary files. One that nobody holds was left by a process that died, and
//! makes the next open look for payloads without rows.

use crate::clock::now_ns;
use crate::error::{Error, Result};
use crate::limits::{MAX_SIDECAR_RETRIES, MAX_SWEEP};
use crate::storage::{File, Open, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "live.";
const BOOT: &str = "boot";

/// A marker of this process. Dropping it says that the work is finished.
#[derive(Debug)]
pub(super) struct Intent {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    _file: Arc<dyn File>,
}

impl Intent {
    /// Makes and locks a marker.
    pub fn declare(storage: &Arc<dyn Storage>, temporary: &Path) -> Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        storage.create_dirs(temporary)?;
        let mut path = PathBuf::new();
        for _ in 0..MAX_SIDECAR_RETRIES {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            path = temporary.join(format!("{PREFIX}{}.{number}.{:x}", std::process::id(), now_ns()));
            let Some(file) = storage.open(&path, Open::CreateNew)? else { break };
            // Whoever looked between the two may have taken it for a dead one's.
            let locked = file.try_lock()?;
            let there = storage.identity(&path)?;
            if locked && there.is_some_and(|t| file.identity().is_ok_and(|i| i.same_file(&t))) {
                return Ok(Intent { storage: Arc::clone(storage), path, _file: file });
            }
        }
        Err(Error::io("open", &path, std::io::ErrorKind::NotFound.into()))
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        // Left behind it only makes somebody look.
        let _ = self.storage.remove(&self.path);
    }
}

/// The markers of others.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Those whose processes died.
    pub dead: Vec<PathBuf>,
    /// Whether there are living ones.
    pub alive: bool,
}

/// Looks at the markers of others. A folder that is not there has none.
pub(super) fn others(storage: &Arc<dyn Storage>, temporary: &Path) -> Others {
    let mut others = Others::default();
    for path in storage.list(temporary, PREFIX, MAX_SWEEP).unwrap_or_default() {
        let Ok(Some(file)) = storage.open(&path, Open::Read) else { continue };
        match file.try_lock() {
            Ok(true) => {
                file.unlock();
                others.dead.push(path);
            }
            _ => others.alive = true,
        }
    }
    others
}

/// Whether payloads and rows were compared since the machine started. A power cut may have taken a
/// marker and left its payload.
pub(super) fn compared_in_this_boot(storage: &Arc<dyn Storage>, temporary: &Path) -> bool {
    let mut bytes = [0; 8];
    let read = storage
        .open(&temporary.join(BOOT), Open::Read)
        .and_then(|file| file.map_or(Ok(0), |file| file.read_at(&mut bytes, 0)));
    read.is_ok_and(|len| len == bytes.len()) && u64::from_le_bytes(bytes) == storage.boot_id()
}

/// Notes that they were.
pub(super) fn note_compared(storage: &Arc<dyn Storage>, temporary: &Path) -> Result<()> {
    storage.create_dirs(temporary)?;
    match storage.open(&temporary.join(BOOT), Open::Create)? {
        Some(file) => file.write_at(&storage.boot_id().to_le_bytes(), 0),
        None => Ok(()),
    }
}
