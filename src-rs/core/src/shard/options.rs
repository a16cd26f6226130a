//! How a shard is opened, what an entry carries, and how long work is watched.

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::key::Root;
use crate::kind::Kind;
use crate::limits::{
    DEFAULT_LOCK_TIMEOUT_MS, DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRY_BYTES, MAX_ENTRY_BYTES, MAX_PARTS,
    MIN_MAX_BYTES,
};
use crate::producer::Producer;
use crate::storage::trust::Trust;
use crate::validator::Validator;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a shard is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the file is used for; one of another kind reads as empty. Default: whatever the caller keeps.
    pub kind: Kind,
    /// Who makes and uses the entries; anonymous by default.
    pub producer: Arc<Producer>,
    /// Parts of every entry. Default 1.
    pub part_count: usize,
    /// Never change anything. Default false.
    pub read_only: bool,
    /// Each change is durable when it returns. Default false: at `flush`.
    pub sync_each: bool,
    /// The digest to insist on. Default: XXH3 for new files, whichever unkeyed one for existing files.
    pub digest: Option<Digest>,
    /// Verify a record's digest on every use, not only the first in the process. Default false.
    pub verify_always: bool,
    /// Read through a memory mapping where that is safe. Default true.
    pub mapped: bool,
    /// Compaction brings the file back under this size, in bytes. Default 1 GiB.
    pub max_bytes: u64,
    /// Most bytes of one entry's parts together. Default 64 MiB.
    pub max_entry_bytes: u64,
    /// How long a writer waits for the lock, in milliseconds. Default 5000.
    pub lock_timeout_ms: u64,
    /// Keys below this folder are stored relative to it. Default none.
    pub root: Option<Root>,
    /// Which files are believed. Default: ours, writable by nobody else.
    pub trust: Trust,
    /// Compact in the background when it pays. Default true.
    pub auto_compact: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kind: Kind::default(),
            // An anonymous producer breaks no rule.
            producer: Arc::new(Producer::new("", "", None, &[String::new()]).unwrap_or_default()),
            part_count: 1,
            read_only: false,
            sync_each: false,
            digest: None,
            verify_always: false,
            mapped: true,
            max_bytes: DEFAULT_MAX_BYTES,
            max_entry_bytes: DEFAULT_MAX_ENTRY_BYTES,
            lock_timeout_ms: DEFAULT_LOCK_TIMEOUT_MS,
            root: None,
            trust: Trust::default(),
            auto_compact: true,
        }
    }
}

impl Options {
    /// Checks what numbers may be.
    ///
    /// # Errors
    /// `InvalidArg` says which is out of range.
    pub fn check(&self) -> Result<()> {
        if self.part_count == 0 || self.part_count > MAX_PARTS {
            return Err(Error::InvalidArg(format!(
                "an entry has 1 to {MAX_PARTS} parts, not {}",
                self.part_count
            )));
        }
        if self.max_entry_bytes == 0 || self.max_entry_bytes > MAX_ENTRY_BYTES {
            return Err(Error::InvalidArg(format!(
                "maxEntryBytes must be 1 to {MAX_ENTRY_BYTES}, not {}",
                self.max_entry_bytes
            )));
        }
        if self.max_bytes < MIN_MAX_BYTES || self.max_bytes > crate::limits::MAX_FILE_LEN / 4 {
            return Err(Error::InvalidArg(format!(
                "maxBytes must be {MIN_MAX_BYTES} to {}, not {}",
                crate::limits::MAX_FILE_LEN / 4,
                self.max_bytes
            )));
        }
        Ok(())
    }
}

/// What an entry carries beside its parts.
#[derive(Debug, Clone, Copy)]
pub struct PutMeta<'a> {
    /// What a look-up must present to hit.
    pub validator: Validator<'a>,
    /// When the entry stops being one, in milliseconds since the epoch; zero for never.
    pub expires_ms: u64,
}

impl Default for PutMeta<'_> {
    fn default() -> Self {
        PutMeta { validator: Validator::None, expires_ms: 0 }
    }
}

/// Watches long work from another thread, and can end it.
#[derive(Debug, Default)]
pub struct Job {
    done: AtomicU64,
    total: AtomicU64,
    aborted: AtomicBool,
    waiting: AtomicBool,
}

impl Job {
    /// How many steps there will be.
    pub fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// One step done.
    ///
    /// # Errors
    /// `Aborted` where somebody asked for the end.
    pub fn step(&self) -> Result<()> {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.check()
    }

    /// Nothing, unless somebody asked for the end.
    ///
    /// # Errors
    /// `Aborted` where somebody did.
    pub fn check(&self) -> Result<()> {
        if self.aborted.load(Ordering::Relaxed) {
            return Err(Error::Aborted);
        }
        Ok(())
    }

    /// Asks for the end.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
    }

    /// Says whether the work waits for the lock.
    pub(super) fn wait(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Whether it does.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Steps done, and steps expected.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
