//! The sidecar, `<shard>.lock`: what the lock is taken on, and the page through which processes
//! tell each other what is published.
//!
//! The page is the truth *of this boot*: it names the shard file, how many of its bytes are
//! published and where the newest index snapshot lies. A page of another boot is not believed, for
//! the file may have lost bytes in between; then the file's own root slots and frames decide.
//!
//! Order of stores: committed length, snapshot, generation. Order of loads: generation, snapshot,
//! committed length. So whoever sees a generation sees at least what it published, and a snapshot
//! never lies beyond the committed length that is read after it. A replaced file changes several words
//! at once; `epoch` is odd meanwhile. A writer that dies in between leaves it odd, and the next
//! writer mends it.

mod recency;

use crate::clock::now_ms;
use crate::error::Result;
use crate::limits::{MAX_PAGE_GENERATION, RECENCY_BITS};
use crate::mapping::SharedWords;
use crate::storage::refusal::Refusal;
use crate::storage::{File, Identity};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use recency::table_len;

const MAGIC: u64 = u64::from_le_bytes(*b"WARMLOCK");
const VERSION: u64 = 1;
/// Bytes before the recency table.
const PAGE: usize = 4096;

/// The words of the page, by index.
mod word {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 1;
    pub const BOOT: usize = 2;
    pub const RECENCY_BITS: usize = 3;
    pub const RECENCY_BASE: usize = 4;
    pub const EPOCH: usize = 8;
    pub const SHARD_ID: usize = 9;
    pub const APPENDED: usize = 11;
    pub const DURABLE: usize = 12;
    pub const DURABLE_APPENDED: usize = 13;
    pub const SYNC_FAILED: usize = 14;
    pub const DIR_PENDING: usize = 15;
    // A cache line of their own: these change with each put.
    pub const GENERATION: usize = 16;
    pub const COMMITTED: usize = 17;
    pub const SNAPSHOT: usize = 18;
    pub const LIVE_ENTRIES: usize = 19;
    pub const LIVE_BYTES: usize = 20;
}

/// Where the generation stands in the page, in bytes.
pub const GENERATION_AT: usize = word::GENERATION * 8;

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Published {
    /// Rises with every published change.
    pub generation: u64,
    /// The id in the header of the shard file; zero where there is no file.
    pub shard_id: [u8; 16],
    /// Bytes of the file that are published.
    pub committed: u64,
    /// Where the newest index snapshot begins; zero for none.
    pub snapshot: u64,
    /// Live entries.
    pub live_entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
    /// Changes whenever the file is replaced or recovered: what was read of it before is void.
    pub epoch: u64,
}

/// What flushes have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durable {
    /// Bytes of the file known to survive a power cut.
    pub bytes: u64,
    /// Frames appended in this boot, and how many of them are durable.
    pub appended: u64,
    /// How many of those are durable.
    pub durable_appended: u64,
    /// A sync failed: what the disk holds is unknown until the file has been written anew.
    pub sync_failed: bool,
    /// The file's name has not been synced yet.
    pub dir_pending: bool,
}

enum Page {
    Shared(SharedWords),
    /// No mapping: each word is read and written at its place in the file.
    File,
}

/// An open sidecar.
pub struct Sidecar {
    path: PathBuf,
    file: Arc<dyn File>,
    page: Page,
    /// Whether the page may be mapped.
    mapped: bool,
    writable: bool,
    boot: u64,
    identity: Identity,
    refusal: Refusal,
}

impl std::fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sidecar").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The sidecar's path.
#[must_use]
pub fn path_for(shard: &Path) -> PathBuf {
    let mut path = shard.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

impl Sidecar {
    /// Opens the page of a sidecar file. Without mappings (`mapped` false, or none to be had) each
    /// look at it is a positioned read.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    pub fn open(path: &Path, file: Arc<dyn File>, writable: bool, mapped: bool, boot: u64) -> Result<Self> {
        let identity = file.identity()?;
        let len = identity.len;
        let page = if mapped && len >= PAGE as u64 {
            file.words(len, writable).map_or(Page::File, Page::Shared)
        } else {
            Page::File
        };
        let refusal = Refusal::default();
        Ok(Sidecar { path: path.to_path_buf(), file, page, mapped, writable, boot, identity, refusal })
    }

    /// Gives a new or foreign sidecar its layout. The caller holds the lock.
    ///
    /// # Errors
    /// `Io` and `NoSpace` where the system refuses.
    pub fn initialise(&mut self) -> Result<()> {
        let len = (PAGE + table_len(*RECENCY_BITS.start())) as u64;
        if self.file.identity()?.len < len {
            self.file.allocate(len)?;
        }
        if matches!(self.page, Page::File)
            && self.mapped
            && let Some(words) = self.file.words(len, true)
        {
            self.page = Page::Shared(words);
        }
        let known = self.is_initialised();
        self.could_reach()?;
        if !known {
            let zeroed = [
                word::BOOT,
                word::SHARD_ID,
                word::SHARD_ID + 1,
                word::COMMITTED,
                word::SNAPSHOT,
                word::LIVE_ENTRIES,
                word::LIVE_BYTES,
                word::APPENDED,
                word::DURABLE,
                word::DURABLE_APPENDED,
                word::SYNC_FAILED,
                word::DIR_PENDING,
            ];
            for index in zeroed {
                self.store(index, 0);
            }
            self.store(word::EPOCH, 1);
            self.store(word::RECENCY_BITS, u64::from(*RECENCY_BITS.start()));
            self.store(word::RECENCY_BASE, now_ms());
            self.store(word::VERSION, VERSION);
            self.store(word::MAGIC, MAGIC);
        }
        self.could_reach()
    }

    /// Whether it has the layout of this version.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.load(word::MAGIC) == MAGIC && self.load(word::VERSION) == VERSION
    }

    /// The file, for its lock and identity.
    #[must_use]
    pub fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at the sidecar's path is another one by now.
    #[must_use]
    pub fn is_replaced_by(&self, at_path: Option<Identity>) -> bool {
        !at_path.is_some_and(|other| other.same_file(&self.identity))
    }

    #[inline(always)]
    fn load(&self, index: usize) -> u64 {
        match &self.page {
            Page::Shared(words) => words.word(index).map_or(0, |w| w.load(Ordering::Acquire)),
            Page::File => self.load_from_file(index),
        }
    }

    #[cold]
    fn load_from_file(&self, index: usize) -> u64 {
        let mut bytes = [0; 8];
        match self.file.read_at(&mut bytes, (index as u64).saturating_mul(8)) {
            Ok(8) => u64::from_le_bytes(bytes),
            Ok(_) => 0,
            Err(error) => {
                self.refusal.note(error);
                0
            }
        }
    }

    /// Whether every word since the last time could be read and written. Where there is no mapping, a word that
    /// could not be read looks like zero, and one that could not be written is what it was.
    ///
    /// # Errors
    /// `Io` and `NoSpace` where the system refused.
    pub fn could_reach(&self) -> Result<()> {
        self.refusal.ask()
    }

    fn store(&self, index: usize, value: u64) {
        match &self.page {
            Page::Shared(words) if words.writable() => {
                if let Some(word) = words.word(index) {
                    word.store(value, Ordering::Release);
                }
            }
            Page::Shared(_) => {}
            Page::File => {
                let written = self.file.write_at(&value.to_le_bytes(), (index as u64).saturating_mul(8));
                written.unwrap_or_else(|error| self.refusal.note(error));
            }
        }
    }

    /// The published generation: the one word that every get looks at.
    #[inline(always)]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.load(word::GENERATION)
    }

    /// The same, unless no counting can have led there.
    #[must_use]
    pub fn credible_generation(&self) -> u64 {
        Some(self.generation()).filter(|g| *g <= MAX_PAGE_GENERATION).unwrap_or(0)
    }

    /// A mapping of the page alone, to be looked at only. `None` where it is not mapped.
    #[must_use]
    pub fn page(&self) -> Option<SharedWords> {
        match self.page {
            Page::Shared(_) => self.file.words(PAGE as u64, false),
            Page::File => None,
        }
    }

    /// What is published, if this page can be believed: its layout is known, it was written in this
    /// boot, and nobody is (or died) in the middle of replacing the file.
    #[must_use]
    pub fn published(&self) -> Option<Published> {
        let epoch = self.load(word::EPOCH);
        if !self.is_initialised()
            || self.boot == 0
            || self.load(word::BOOT) != self.boot
            || !epoch.is_multiple_of(2)
        {
            return None;
        }
        let generation = self.generation();
        if generation > MAX_PAGE_GENERATION {
            return None;
        }
        let [low, high] = [self.load(word::SHARD_ID), self.load(word::SHARD_ID + 1)];
        let mut shard_id = [0; 16];
        for (to, from) in shard_id.iter_mut().zip(low.to_le_bytes().into_iter().chain(high.to_le_bytes())) {
            *to = from;
        }
        let snapshot = self.load(word::SNAPSHOT);
        let it = Published {
            generation,
            shard_id,
            snapshot,
            committed: self.load(word::COMMITTED),
            live_entries: self.load(word::LIVE_ENTRIES),
            live_bytes: self.load(word::LIVE_BYTES),
            epoch,
        };
        fence(Ordering::Acquire);
        (self.load(word::EPOCH) == epoch).then_some(it)
    }

    /// Whether nobody is, or died, in the middle of replacing the file, in this boot.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.is_initialised()
            && self.load(word::EPOCH).is_multiple_of(2)
            && self.load(word::BOOT) == self.boot
    }

    /// Whether somebody is, or died, in the middle of it, in this boot.
    #[must_use]
    pub fn is_changing(&self) -> bool {
        self.is_initialised() && !self.is_settled() && self.load(word::BOOT) == self.boot
    }

    /// Changes whenever the file is replaced or recovered.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.load(word::EPOCH)
    }

    /// Says of the page that nobody may believe it. The caller holds the lock.
    pub fn doubt(&self) {
        self.store(word::EPOCH, self.load(word::EPOCH) | 1);
    }

    /// Publishes appended bytes. The caller holds the lock and has written them.
    pub fn publish(&self, new: &Published, appended: u64) {
        self.store(word::LIVE_ENTRIES, new.live_entries);
        self.store(word::LIVE_BYTES, new.live_bytes);
        self.store(word::APPENDED, self.load(word::APPENDED).wrapping_add(appended));
        self.store(word::COMMITTED, new.committed);
        self.store(word::SNAPSHOT, new.snapshot);
        self.store(word::GENERATION, new.generation);
    }

    /// Leaves generations out. The caller holds the lock.
    pub fn skip_to(&self, generation: u64) {
        self.store(word::GENERATION, generation);
    }

    /// Publishes another file, or the same one after a recovery. The caller holds the lock. Returns
    /// the new epoch.
    pub fn publish_file(&self, new: &Published, durable: &Durable) -> u64 {
        let epoch = self.load(word::EPOCH) | 1;
        self.store(word::EPOCH, epoch);
        fence(Ordering::SeqCst);
        let (low, high) = new.shard_id.split_at(8);
        for (index, half) in [(word::SHARD_ID, low), (word::SHARD_ID + 1, high)] {
            self.store(index, half.try_into().map_or(0, u64::from_le_bytes));
        }
        self.store(word::BOOT, self.boot);
        self.store_durable(durable);
        self.store(word::LIVE_ENTRIES, new.live_entries);
        self.store(word::LIVE_BYTES, new.live_bytes);
        self.store(word::COMMITTED, new.committed);
        self.store(word::SNAPSHOT, new.snapshot);
        // The generation before the epoch: a writer that dies in between must not leave a page that
        // looks settled to those who know the old generation.
        self.store(word::GENERATION, new.generation);
        let settled = epoch.wrapping_add(1);
        self.store(word::EPOCH, settled);
        settled
    }

    /// What flushes have reached.
    #[must_use]
    pub fn durable(&self) -> Durable {
        let bytes = self.load(word::DURABLE);
        Durable {
            // More than is published is damage.
            bytes: if bytes > self.load(word::COMMITTED) { 0 } else { bytes },
            appended: self.load(word::APPENDED),
            durable_appended: self.load(word::DURABLE_APPENDED),
            sync_failed: self.load(word::SYNC_FAILED) != 0,
            dir_pending: self.load(word::DIR_PENDING) != 0,
        }
    }

    /// The same of the file that was published in this epoch; `None` where another one is, or is about to be. Without
    /// the lock, nothing else says that all the words are of one file.
    #[must_use]
    pub fn durable_in(&self, epoch: u64) -> Option<Durable> {
        let same = || self.is_settled() && self.load(word::EPOCH) == epoch;
        if !same() {
            return None;
        }
        let durable = self.durable();
        fence(Ordering::Acquire);
        same().then_some(durable)
    }

    /// Records what a flush reached.
    pub fn store_durable(&self, d: &Durable) {
        self.store(word::DURABLE, d.bytes);
        self.store(word::APPENDED, d.appended);
        self.store(word::DURABLE_APPENDED, d.durable_appended);
        self.store(word::SYNC_FAILED, u64::from(d.sync_failed));
        self.store(word::DIR_PENDING, u64::from(d.dir_pending));
    }
}
