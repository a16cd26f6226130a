//! The words of the page, and the order in which they are stored and loaded.
//!
//! Order of stores: committed length, snapshot, generation. Order of loads: generation, snapshot,
//! committed length. So a reader that sees a generation sees at least what it published, and a snapshot
//! never lies beyond the committed length that is loaded after it. Replacing the file changes several
//! words; `epoch` is odd meanwhile. A writer that dies in between leaves it odd, and the next writer
//! repairs the page.
//!
//! The words are accessed through [`Words`], so that `tests/memory_model.rs` can run this very code on words of a memory
//! model in which a load may see any store that the orderings below do not exclude.

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
    // These change with each put, so they have a cache line of their own.
    pub const GENERATION: usize = 16;
    pub const COMMITTED: usize = 17;
    pub const SNAPSHOT: usize = 18;
    pub const LIVE_ENTRIES: usize = 19;
    pub const LIVE_BYTES: usize = 20;
}
const _: () = assert!(word::LIVE_BYTES + 1 == WORDS);

/// What the page says is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Published {
    /// Rises with every published change.
    pub generation: u64,
    /// The id in the header of the shard file; zeros if no file was published yet.
    pub shard_id: [u8; 16],
    /// Bytes of the file that are published.
    pub committed: u64,
    /// Where the newest index snapshot begins; zero for none.
    pub snapshot: u64,
    /// Live entries.
    pub live_entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
    /// Changes whenever the file is replaced or recovered; what was read from the file before is no longer valid.
    pub epoch: u64,
}

/// What flushes have made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durable {
    /// Bytes of the file known to survive a power cut.
    pub bytes: u64,
    /// Frames appended in this boot.
    pub appended: u64,
    /// How many of those are durable.
    pub durable_appended: u64,
    /// A sync failed: what the disk holds is unknown until the live entries are in a new file.
    pub sync_failed: bool,
    /// The file's name has not been synced yet.
    pub dir_pending: bool,
}

/// Access to the words of a page.
pub trait Words {
    /// Loads the word at `index`.
    fn load(&self, index: usize, order: Ordering) -> u64;
    /// Stores the word at `index`.
    fn store(&self, index: usize, value: u64, order: Ordering);
    /// A memory fence between the accesses before and after it.
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
    /// A page on these words. `boot` identifies the current boot; zero if it is unknown.
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

    /// Whether the page has the layout of this version.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.load(word::MAGIC) == MAGIC && self.load(word::VERSION) == VERSION
    }

    /// Gives the page its layout. The caller holds the lock.
    pub fn lay_out(&self, recency_bits: u32, now_ms: u64) {
        // First of all, the epoch becomes odd. It is not reset: a reader may know an earlier number, and would then take
        // words from before and after for one page.
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

    /// The published generation: the one word that every look-up loads.
    #[inline(always)]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.load(word::GENERATION)
    }

    /// The published generation, or zero if it is so high that it must be damaged.
    #[must_use]
    pub fn credible_generation(&self) -> u64 {
        Some(self.generation()).filter(|g| *g <= MAX_PAGE_GENERATION).unwrap_or(0)
    }

    /// What is published, if the page can be believed: its layout is known, it was written in this
    /// boot, and no writer is, or died, in the middle of replacing the file.
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

    /// Whether the page was written in this boot, and no writer is, or died, in the middle of replacing the file.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.is_initialised()
            && self.load(word::EPOCH).is_multiple_of(2)
            && self.load(word::BOOT) == self.boot
    }

    /// Whether a writer of this boot is, or died, in the middle of replacing the file.
    #[must_use]
    pub fn is_changing(&self) -> bool {
        self.is_initialised() && !self.is_settled() && self.load(word::BOOT) == self.boot
    }

    /// See [`Published::epoch`].
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.load(word::EPOCH)
    }

    /// Whether the page is still in this epoch, asked after publishing with only the shard file's lock. If another file
    /// was published at the same time, either this returns false, or the other writer has overwritten every word that
    /// was published here.
    #[must_use]
    pub fn is_still(&self, epoch: u64) -> bool {
        // Pairs with the fence in `publish_file`. Without it, the published words could become visible only after the
        // epoch was loaded.
        self.words.fence(Ordering::SeqCst);
        self.load(word::EPOCH) == epoch
    }

    /// Makes the epoch odd, so that no reader believes the page. The caller holds the lock.
    pub fn doubt(&self) {
        self.store(word::EPOCH, self.load(word::EPOCH) | 1);
    }

    /// Publishes appended bytes, which the caller has written. `appended` is the number of their frames. The caller holds
    /// the lock.
    pub fn publish(&self, new: &Published, appended: u64) {
        self.store(word::LIVE_ENTRIES, new.live_entries);
        self.store(word::LIVE_BYTES, new.live_bytes);
        self.store(word::APPENDED, self.load(word::APPENDED).wrapping_add(appended));
        self.store(word::COMMITTED, new.committed);
        self.store(word::SNAPSHOT, new.snapshot);
        self.store(word::GENERATION, new.generation);
    }

    /// Raises the generation although nothing is published, so that no later change has one of the skipped numbers. The
    /// caller holds the lock.
    pub fn skip_to(&self, generation: u64) {
        self.store(word::GENERATION, generation);
    }

    /// Publishes another file, or the same one after a recovery. The caller holds the lock. Returns
    /// the new epoch.
    pub fn publish_file(&self, new: &Published, durable: &Durable) -> u64 {
        let epoch = self.load(word::EPOCH) | 1;
        self.store(word::EPOCH, epoch);
        self.words.fence(Ordering::SeqCst);
        // If the file stays the same, another process may note a failed sync at this moment; do not overwrite that.
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
        // The generation before the epoch: if this writer dies in between, the page must not look settled to
        // handles that know the old generation.
        self.store(word::GENERATION, new.generation);
        let settled = epoch.wrapping_add(1);
        self.store(word::EPOCH, settled);
        settled
    }

    /// What flushes have made durable.
    #[must_use]
    pub fn durable(&self) -> Durable {
        let bytes = self.load(word::DURABLE);
        Durable {
            // No flush can reach beyond what is published: such a number is damaged.
            bytes: if bytes > self.load(word::COMMITTED) { 0 } else { bytes },
            appended: self.load(word::APPENDED),
            durable_appended: self.load(word::DURABLE_APPENDED),
            sync_failed: self.load(word::SYNC_FAILED) != 0,
            dir_pending: self.load(word::DIR_PENDING) != 0,
        }
    }

    /// The same, but `None` unless the page stays in this epoch while its words are loaded. A caller without the lock
    /// needs this to be sure that all the words are about one file.
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

    /// Records what a flush made durable. The caller holds the lock. It does not store `sync_failed`, which other processes
    /// may store without the lock.
    pub fn store_durable(&self, d: &Durable) {
        self.store(word::DURABLE, d.bytes);
        self.store(word::APPENDED, d.appended);
        self.store(word::DURABLE_APPENDED, d.durable_appended);
        self.store(word::DIR_PENDING, u64::from(d.dir_pending));
    }

    /// Records that a sync failed. The caller need not hold the lock.
    pub fn note_failed_sync(&self) {
        self.store(word::SYNC_FAILED, 1);
    }
}
