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

/// A marker of this process. Dropped, it is a dead one's.
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
            // Whoever looked between the two has taken it for a dead one's, and removes it.
            let locked = file.try_lock()?;
            let there = storage.identity(&path)?;
            if locked && there.is_some_and(|t| file.identity().is_ok_and(|i| i.same_file(&t))) {
                return Ok(Intent { storage: Arc::clone(storage), path, _file: file });
            }
        }
        Err(Error::io("open", &path, std::io::ErrorKind::NotFound.into()))
    }
}

impl Intent {
    /// The work is finished.
    pub fn finish(self) {
        // Left behind it only makes somebody look.
        let _ = self.storage.remove(&self.path);
    }
}

/// The markers of others.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Those whose processes died, locked for as long as we have them: nobody else need see to them, and
    /// nobody can take up one of them.
    pub dead: Vec<(PathBuf, Arc<dyn File>)>,
    /// Whether there are living ones.
    pub alive: bool,
}

/// Looks at the markers of others. A folder that is not there has none.
pub(super) fn others(storage: &Arc<dyn Storage>, temporary: &Path) -> Others {
    let mut others = Others::default();
    for path in storage.list(temporary, PREFIX, MAX_SWEEP).unwrap_or_default() {
        let Ok(Some(file)) = storage.open(&path, Open::Read) else { continue };
        match file.try_lock() {
            Ok(true) => others.dead.push((path, file)),
            _ => others.alive = true,
        }
    }
    others
}

/// Whether anybody is at work now, those aside whose markers we have.
pub(super) fn anyone_alive(storage: &Arc<dyn Storage>, temporary: &Path, dead: &Others) -> bool {
    let known = |path: &PathBuf| dead.dead.iter().any(|(of_dead, _)| of_dead == path);
    let alive = |path: PathBuf| {
        !known(&path)
            && matches!(storage.open(&path, Open::Read), Ok(Some(file)) if !file.try_lock().unwrap_or(false))
    };
    storage.list(temporary, PREFIX, MAX_SWEEP).unwrap_or_default().into_iter().any(alive)
}
