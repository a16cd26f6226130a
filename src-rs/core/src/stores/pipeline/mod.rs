//! The pipeline cache: one file for each fingerprint, `<root>/<64 hex digits>.bin`.
//!
//! An artifact is verified on each read, before anything is returned. A file that is torn, damaged, too
//! long, another fingerprint's or not ours is a miss; the next `put` replaces it.

pub mod artifact;

pub use artifact::{Artifact, FOOTER_LEN, Fingerprint};

use super::blob::BlobFolder;
use crate::error::{Error, Result};
use crate::limits::DEFAULT_PIPELINE_BYTES;
use crate::storage::disk::Disk;
use crate::storage::trust::Trust;
use crate::storage::{Listed, Storage};
use artifact::{check_size, footer, hex};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a pipeline cache is opened.
#[derive(Debug, Clone, Copy)]
pub struct PipelineOptions {
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Upper bound of the size of all files together, in bytes.
    pub max_bytes: u64,
    /// Which files are trusted.
    pub trust: Trust,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        PipelineOptions { read_only: false, max_bytes: DEFAULT_PIPELINE_BYTES, trust: Trust::Private }
    }
}

/// What a cache has done, and what it holds. The counters are those of one object; `entries` and
/// `cached_bytes` describe the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PipelineMetrics {
    /// Calls of `get`.
    pub lookups: u64,
    /// Look-ups that found a valid artifact.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Artifacts stored.
    pub puts: u64,
    /// Artifacts that were too large or could not be written.
    pub rejected_puts: u64,
    /// Files removed because of `max_bytes`.
    pub evictions: u64,
    /// Their bytes.
    pub evicted_bytes: u64,
    /// Calls of `flush`.
    pub flushes: u64,
    /// Calls of `flush` that failed.
    pub flush_errors: u64,
    /// Bytes of all files, footers included.
    pub cached_bytes: u64,
    /// Number of files.
    pub entries: u64,
}

/// A counter that several threads increase.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct Counts {
    hits: Count,
    misses: Count,
    puts: Count,
    rejected_puts: Count,
    evictions: Count,
    evicted_bytes: Count,
    flushes: Count,
    flush_errors: Count,
}

/// See the module's head. All methods may be called from several threads at once.
#[derive(Debug)]
pub struct Pipeline {
    blobs: BlobFolder,
    options: PipelineOptions,
    counts: Counts,
    swept: AtomicBool,
    /// Bytes put since the size of the folder was last measured.
    unmeasured: AtomicU64,
}

impl Pipeline {
    /// A cache in a folder of the real disk. Nothing is read or made yet.
    #[must_use]
    pub fn open(root: &Path, options: PipelineOptions) -> Self {
        Self::open_on(Arc::new(Disk { trust: options.trust }), root, options)
    }

    /// The same on any storage.
    #[must_use]
    pub fn open_on(storage: Arc<dyn Storage>, root: &Path, options: PipelineOptions) -> Self {
        Pipeline {
            blobs: BlobFolder::new(storage, root, root),
            options,
            counts: Counts::default(),
            swept: AtomicBool::new(false),
            unmeasured: AtomicU64::new(0),
        }
    }

    /// The folder of the files.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.blobs.dir()
    }

    /// Looks an artifact up; `take` reads and verifies the payload, and returns `None` if it is damaged.
    /// An I/O error is a miss.
    pub fn get_with<T>(
        &self,
        fingerprint: &Fingerprint,
        take: impl FnOnce(&Artifact) -> Option<T>,
    ) -> Option<T> {
        let found = self.find(fingerprint).and_then(|artifact| take(&artifact));
        let count = if found.is_some() { &self.counts.hits } else { &self.counts.misses };
        count.add(1);
        found
    }

    /// The payload of a fingerprint, copied.
    #[must_use]
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<Vec<u8>> {
        self.get_with(fingerprint, |artifact| {
            let mut payload = vec![0; artifact.len()];
            artifact.read(&mut payload).then_some(payload)
        })
    }

    /// Whether `get` would find an artifact. Reads and verifies it; not counted as a look-up.
    #[must_use]
    pub fn has(&self, fingerprint: &Fingerprint) -> bool {
        self.find(fingerprint).is_some_and(|artifact| artifact.is_sound())
    }

    fn find(&self, fingerprint: &Fingerprint) -> Option<Artifact> {
        Artifact::new(self.blobs.open(&name_of(fingerprint)).ok()??, fingerprint)
    }

    /// Stores an artifact, and replaces an older one.
    ///
    /// # Errors
    /// `ReadOnly`; also `TooLarge`, `Io` and `NoSpace`, which are counted as rejected puts.
    pub fn put(&self, fingerprint: &Fingerprint, payload: &[u8]) -> Result<()> {
        self.check_writable()?;
        let done = self.store(fingerprint, payload);
        let count = if done.is_ok() { &self.counts.puts } else { &self.counts.rejected_puts };
        count.add(1);
        done
    }

    fn store(&self, fingerprint: &Fingerprint, payload: &[u8]) -> Result<()> {
        check_size(payload, self.options.max_bytes)?;
        if !self.swept.swap(true, Ordering::Relaxed) {
            self.blobs.sweep();
        }
        self.blobs.write(&name_of(fingerprint), &[payload, &footer(fingerprint, payload)])?;
        let len = payload.len().saturating_add(FOOTER_LEN) as u64;
        let unmeasured = self.unmeasured.fetch_add(len, Ordering::Relaxed).saturating_add(len);
        if unmeasured > self.options.max_bytes / 8 {
            self.evict();
        }
        Ok(())
    }

    /// Removes the artifact of a fingerprint, or whatever else is at its path. Returns whether there was
    /// something.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub fn remove(&self, fingerprint: &Fingerprint) -> Result<bool> {
        self.check_writable()?;
        self.blobs.remove(&name_of(fingerprint))
    }

    /// Removes every artifact. Returns how many there were.
    ///
    /// # Errors
    /// `ReadOnly`; `Io`, after all files have been tried.
    pub fn clear(&self) -> Result<u64> {
        self.check_writable()?;
        let (mut removed, mut failed) = (0u64, None);
        for file in self.files()? {
            match self.blobs.remove(&file.name) {
                Ok(there) => removed = removed.saturating_add(u64::from(there)),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(removed), Err)
    }

    /// Evicts until the folder is under `max_bytes`, then syncs what was put.
    ///
    /// # Errors
    /// `Io`, `NoSpace`; what failed stays pending.
    pub fn flush(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.counts.flushes.add(1);
        if self.unmeasured.load(Ordering::Relaxed) > 0 {
            self.evict();
        }
        let synced = self.blobs.sync();
        if synced.is_err() {
            self.counts.flush_errors.add(1);
        }
        synced
    }

    /// How much of what this object has put is not synced yet.
    #[must_use]
    pub fn pending(&self) -> super::blob::Pending {
        self.blobs.pending()
    }

    /// What this object has done, and what the folder holds. Walks over the folder, and removes temporary
    /// files of dead writers.
    #[must_use]
    pub fn metrics(&self) -> PipelineMetrics {
        if !self.options.read_only {
            self.blobs.sweep();
        }
        let files = self.files().unwrap_or_default();
        let counts = &self.counts;
        let (hits, misses) = (counts.hits.get(), counts.misses.get());
        PipelineMetrics {
            lookups: hits.saturating_add(misses),
            hits,
            misses,
            puts: counts.puts.get(),
            rejected_puts: counts.rejected_puts.get(),
            evictions: counts.evictions.get(),
            evicted_bytes: counts.evicted_bytes.get(),
            flushes: counts.flushes.get(),
            flush_errors: counts.flush_errors.get(),
            cached_bytes: files.iter().fold(0, |sum, f| sum.saturating_add(f.len)),
            entries: files.len() as u64,
        }
    }

    /// Removes the files modified longest ago until the rest is within `max_bytes`. Ignores errors.
    fn evict(&self) {
        self.unmeasured.store(0, Ordering::Relaxed);
        let Ok(mut files) = self.files() else { return };
        let mut total = files.iter().fold(0u64, |sum, f| sum.saturating_add(f.len));
        if total <= self.options.max_bytes {
            return;
        }
        files.sort_unstable_by(|a, b| (a.modified_ns, &a.name).cmp(&(b.modified_ns, &b.name)));
        for file in files {
            if total <= self.options.max_bytes {
                return;
            }
            let Ok(there) = self.blobs.remove(&file.name) else { continue };
            total = total.saturating_sub(file.len);
            // Otherwise another process has removed the file and counts it.
            if there {
                self.counts.evictions.add(1);
                self.counts.evicted_bytes.add(file.len);
            }
        }
    }

    /// The artifacts' files. Other files in the folder are neither counted nor removed.
    fn files(&self) -> Result<Vec<Listed>> {
        let mut files = self.blobs.names()?;
        files.retain(|f| is_name(&f.name));
        Ok(files)
    }

    fn check_writable(&self) -> Result<()> {
        if self.options.read_only { Err(Error::ReadOnly(self.root().to_path_buf())) } else { Ok(()) }
    }
}

fn name_of(fingerprint: &Fingerprint) -> String {
    let mut name = hex(fingerprint);
    name.push_str(".bin");
    name
}

fn is_name(name: &str) -> bool {
    name.strip_suffix(".bin")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}
