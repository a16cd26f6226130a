//! Files under a temporary name, until they are renamed into place.
//!
//! The writer holds a `flock` on its file for that time. A temporary file that can be locked was left
//! by a process that died.

use super::{BlobFolder, lock};
use crate::clock::now_ns;
use crate::error::{Error, Result};
use crate::limits::{MAX_SIDECAR_RETRIES, MAX_SWEEP, MAX_WALK};
use crate::storage::{File, Open, Storage};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// How many bytes of the file's name a temporary name contains, for people who list the folder.
const HINT_BYTES: usize = 32;

/// A file that was written and not published yet. If it is dropped before, the file is removed.
#[derive(Debug)]
pub struct Prepared {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) len: u64,
    pub(super) published: bool,
    pub(super) file: Arc<dyn File>,
    storage: Arc<dyn Storage>,
}

impl Prepared {
    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if !bytes.is_empty() {
            self.file.write_at(bytes, self.len)?;
            self.len = self.len.saturating_add(bytes.len() as u64);
        }
        Ok(())
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.published {
            let _ = self.storage.remove(&self.path);
        }
    }
}

impl BlobFolder {
    /// Makes and locks a temporary file, and its folder if that is missing.
    pub(super) fn make_temporary(&self, name: &str) -> Result<Prepared> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let hint: String =
            name.char_indices().take_while(|(at, _)| *at < HINT_BYTES).map(|(_, c)| c).collect();
        let mut path = PathBuf::new();
        for _ in 0..MAX_SIDECAR_RETRIES {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let pid = std::process::id();
            path = self.temporary.join(format!(".{hint}.tmp.{pid}.{number}.{:08x}", random()));
            let Some(file) = self.storage.open(&path, Open::CreateNew)? else {
                let mut pending = lock(&self.pending);
                self.make_folder(&self.temporary, &mut pending)?;
                if self.dir != self.temporary {
                    self.make_folder(&self.dir, &mut pending)?;
                }
                continue;
            };
            let storage = Arc::clone(&self.storage);
            let prepared = Prepared { name: name.into(), path, len: 0, published: false, file, storage };
            let locked = prepared.file.try_lock()?;
            // Another process's `sweep` may have removed the file before it was locked.
            let there = self.storage.identity(&prepared.path)?;
            let same = |t| prepared.file.identity().is_ok_and(|i| i.same_file(&t));
            if locked && there.is_some_and(same) {
                return Ok(prepared);
            }
            path = prepared.path.clone();
        }
        Err(Error::io("open", &path, io::ErrorKind::NotFound.into()))
    }

    /// Removes temporary files of dead processes, at most [`MAX_SWEEP`]. Ignores errors.
    pub fn sweep(&self) {
        let Ok(found) = self.storage.list(&self.temporary, ".", MAX_WALK) else {
            return;
        };
        let ours = found.iter().filter(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(is_temporary));
        for path in ours.take(MAX_SWEEP) {
            if let Ok(Some(file)) = self.storage.open(path, Open::Write)
                && file.try_lock().unwrap_or(false)
            {
                let _ = self.storage.remove(path);
            }
        }
    }
}

/// A random number of this process: containers that share a folder may have the same process ids.
fn random() -> u32 {
    static NUMBER: OnceLock<u32> = OnceLock::new();
    *NUMBER.get_or_init(|| getrandom::u32().unwrap_or(now_ns() as u32))
}

/// Whether a file's name has the form that `make_temporary` gives.
fn is_temporary(name: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let mut fields = name.rsplitn(5, '.');
    let mut next = || fields.next().unwrap_or_default();
    let (random, number, pid, tmp) = (next(), next(), next(), next());
    let hex = random.len() == 8 && random.bytes().all(|b| b.is_ascii_hexdigit());
    hex && digits(number) && digits(pid) && tmp == "tmp" && name.starts_with('.')
}
