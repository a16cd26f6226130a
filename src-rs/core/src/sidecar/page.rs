//! The words of the page, and the order in which they are stored and loaded.
//!
//! Order of stores: committed length, snapshot, generation. Order of loads: generation, snapshot,
//! committed length. So whoever sees a generation sees at least what it published, and a snapshot
//! never lies beyond the committed length that is read after it. A replaced file changes several words
//! at once; `epoch` is odd meanwhile. A writer that dies in between leaves it odd, and the next
//! writer mends it.
//!
//! Where the words lie is left to [`Words`], so that `tests/memory_model.rs` runs this very code on words of a model
//! in which a load may see any store that the orders below do not exclude.

use crate::limits::MAX_PAGE_GENERATION;
use std::sync::atomic::Ordering;

const MAGIC: u64 = u64::from_le_bytes(*b"WARMLOCK");
const VERSION: u64 = 1;

/// How many words the page uses.
pub const WORDS: usize = 21;

/// The words of the page, by index.
pub(super) mod word {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 1;
    pub const BOOT: usize = 2;
    pub const RECENCY_BITS: usize = 3;
    pub const RECENCY_BASE: usize = 4;
    pub const TURN: usize = 5;
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
const _: () = assert!(word::LIVE_BYTES + 1 == WORDS);

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

/// Where the words of a page lie.
pub trait Words {
    /// The word at `index`.
    fn load(&self, index: usize, order: Ordering) -> u64;
    /// Changes it.
    fn store(&self, index: usize, value: u64, order: Ordering);
    /// Orders what was loaded and stored before against what comes after.
    fn fence(&self, order: Ordering);
}

/// A page of words.
#[derive(Debug)]
pub struct Page<W> {
    /// The words.
    pub words: W,
    boot: u64,
}

impl<W: Words> Page<W> {
    /// A page on these words, in this boot; zero where that is not known.
    pub fn new(words: W, boot: u64) -> Self {
        Page { words, boot }
    }

    #[inline(always)]
    pub(super) fn load(&self, index: usize) -> u64 {
        self.words.load(index, Ordering::Acquire)
    }

    pub(super) fn store(&self, index: usize, value: u64) {
        self.words.store(index, value, Ordering::Release);
    }

    /// Whether it has the layout of this version.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.load(word::MAGIC) == MAGIC && self.load(word::VERSION) == VERSION
    }

    /// Gives it its layout. The caller holds the lock.
    pub fn lay_out(&self, recency_bits: u32, now_ms: u64) {
        // First of all, and never back to a number that somebody may have read before: the words of two layouts must
        // not pass for one page.
        self.doubt();
        self.words.fence(Ordering::SeqCst);
        let zeroed = [
            word::BOOT,
            word::TURN,
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
        self.store(word::RECENCY_BITS, u64::from(recency_bits));
        self.store(word::RECENCY_BASE, now_ms);
        self.store(word::VERSION, VERSION);
        self.store(word::MAGIC, MAGIC);
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
        let shard_id = self.shard_id();
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
        self.words.fence(Ordering::Acquire);
        (self.load(word::EPOCH) == epoch).then_some(it)
    }

    fn shard_id(&self) -> [u8; 16] {
        let [low, high] = [self.load(word::SHARD_ID), self.load(word::SHARD_ID + 1)];
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(low.to_le_bytes().into_iter().chain(high.to_le_bytes())) {
            *to = from;
        }
        id
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

    /// Whether what this thread has just published was published of the file of this epoch, for sure: if it was not,
    /// either this says so, or whoever put another file in place has stored over it.
    #[must_use]
    pub fn is_still(&self, epoch: u64) -> bool {
        // Pairs with the fence of `publish_file`. Without it, the words may become visible after the epoch was looked at.
        self.words.fence(Ordering::SeqCst);
        self.load(word::EPOCH) == epoch
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
        self.words.fence(Ordering::SeqCst);
        // Of a file that stays, somebody may find out at this moment that it could not be synced.
        let stays = self.shard_id() == new.shard_id;
        if durable.sync_failed || !stays {
            self.store(word::SYNC_FAILED, u64::from(durable.sync_failed));
        }
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
        self.words.fence(Ordering::Acquire);
        same().then_some(durable)
    }

    /// Records what a flush reached. The caller holds the lock. That a sync has failed is another word: it comes from those
    /// who hold none.
    pub fn store_durable(&self, d: &Durable) {
        self.store(word::DURABLE, d.bytes);
        self.store(word::APPENDED, d.appended);
        self.store(word::DURABLE_APPENDED, d.durable_appended);
        self.store(word::DIR_PENDING, u64::from(d.dir_pending));
    }

    /// Records that a sync failed. Needs no lock.
    pub fn note_failed_sync(&self) {
        self.store(word::SYNC_FAILED, 1);
    }
}
