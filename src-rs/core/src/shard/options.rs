//! The options of a shard, what an entry carries beside its parts, and watching long work.

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
    /// The file's kind; a file of another kind reads as empty. Default: a plain shard.
    pub kind: Kind,
    /// The producer of new entries, and of those that are hits. Anonymous by default.
    pub producer: Arc<Producer>,
    /// Parts of every entry. Default 1.
    pub part_count: usize,
    /// Whether changes are refused. Default false.
    pub read_only: bool,
    /// Whether each change is durable when its call returns. Default false: changes become durable by `flush`.
    pub sync_each: bool,
    /// The digest of records; a file with another one reads as empty. Default: XXH3 for new files; existing files may
    /// have either unkeyed digest.
    pub digest: Option<Digest>,
    /// Whether a record's digest is verified on every use, and not only on the first one. Default false.
    pub verify_always: bool,
    /// Whether the file is read through a memory mapping if that is safe. Default true.
    pub mapped: bool,
    /// Compaction brings the file back under this size, in bytes. Default 1 GiB.
    pub max_bytes: u64,
    /// Most bytes of one entry's parts together. Default 64 MiB.
    pub max_entry_bytes: u64,
    /// How long one call waits for locks, in milliseconds. Default 5000.
    pub lock_timeout_ms: u64,
    /// Keys below this folder are stored relative to it. Default none.
    pub root: Option<Root>,
    /// Which files are trusted. Default: those of this process' user that nobody else can write to.
    pub trust: Trust,
    /// Whether the file is compacted in the background when that pays. Default true.
    pub auto_compact: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kind: Kind::default(),
            // Cannot fail: an empty name and one part are allowed.
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
    /// Checks the ranges of numbers.
    ///
    /// # Errors
    /// `InvalidArg` if a number is out of its range.
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
    /// The validator that is stored with the entry.
    pub validator: Validator<'a>,
    /// When the entry expires, in milliseconds since the epoch; zero for never.
    pub expires_ms: u64,
}

impl Default for PutMeta<'_> {
    fn default() -> Self {
        PutMeta { validator: Validator::None, expires_ms: 0 }
    }
}

/// Progress of long work, and a way to abort it, from another thread.
#[derive(Debug, Default)]
pub struct Job {
    done: AtomicU64,
    total: AtomicU64,
    aborted: AtomicBool,
    waiting: AtomicBool,
}

impl Job {
    /// Sets how many steps there will be.
    pub fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Counts one step as done.
    ///
    /// # Errors
    /// `Aborted` if the job was aborted.
    pub fn step(&self) -> Result<()> {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.check()
    }

    /// Fails if the job was aborted.
    ///
    /// # Errors
    /// `Aborted`.
    pub fn check(&self) -> Result<()> {
        if self.aborted.load(Ordering::Relaxed) {
            return Err(Error::Aborted);
        }
        Ok(())
    }

    /// Aborts the job: its work ends at the next step.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
    }

    /// Notes whether the work is waiting for a lock.
    pub(super) fn wait(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Whether the work is waiting for a lock.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Steps done, and steps expected.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
