//! Markers of unfinished work. A process that has written payloads but not yet their rows keeps a locked
//! file in the folder of temporary files. A marker that is not locked was left by a process that died, and
//! makes the next open look for payloads without rows.

use crate::clock::now_ns;
use crate::error::{Error, Result};
use crate::limits::{MAX_SIDECAR_RETRIES, MAX_SWEEP};
use crate::storage::{File, Open, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "live.";

/// A marker of this process. Dropped without `finish`, it looks like that of a dead process.
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
            // A process that looked between `open` and `try_lock` has taken the marker for a dead process's
            // and removes it. Then make another one.
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
    /// Removes the marker: the work is finished.
    pub fn finish(self) {
        // A marker that stays only costs another process a comparison.
        let _ = self.storage.remove(&self.path);
    }
}

/// The markers of other handles.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Markers of dead processes. We hold their locks, so no other process repairs the same work.
    pub dead: Vec<(PathBuf, Arc<dyn File>)>,
    /// Whether there are markers of living processes.
    pub alive: bool,
}

/// Finds the markers of other handles. A missing folder has none.
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

/// Whether a living process has unfinished work now. The markers in `dead`, which we have locked, do not count.
pub(super) fn anyone_alive(storage: &Arc<dyn Storage>, temporary: &Path, dead: &Others) -> bool {
    let known = |path: &PathBuf| dead.dead.iter().any(|(of_dead, _)| of_dead == path);
    let alive = |path: PathBuf| {
        !known(&path)
            && matches!(storage.open(&path, Open::Read), Ok(Some(file)) if !file.try_lock().unwrap_or(false))
    };
    storage.list(temporary, PREFIX, MAX_SWEEP).unwrap_or_default().into_iter().any(alive)
}
