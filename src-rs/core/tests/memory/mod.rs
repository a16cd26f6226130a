//! The words of the sidecar's page in loom's model, in which a load may see any store that the memory orders do not
//! exclude, and files whose bytes are ordered only by these words.

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU64, fence};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use warmshard_core::sidecar::page::{Durable, Page, Published, WORDS, Words};

pub const BOOT: u64 = 7;
/// Bytes of a file that the scenarios reach.
const BYTES: usize = 4;

/// Which orders are replaced by `Relaxed`, to check that the model detects it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weak {
    pub loads: bool,
    pub stores: bool,
    pub fences: bool,
    /// Only for this word.
    pub only: Option<usize>,
}

/// The sidecar's page and its lock, and the bytes of two files.
pub struct World {
    words: [AtomicU64; WORDS],
    bytes: [[AtomicU64; BYTES]; 2],
    pub lock: Mutex<()>,
    weak: Weak,
}

/// How a process accesses the words. After `left` stores it is dead and stores nothing more.
#[derive(Clone)]
pub struct Door {
    pub world: Arc<World>,
    left: Cell<usize>,
}

impl Words for Door {
    fn load(&self, index: usize, order: Ordering) -> u64 {
        self.world.words[index].load(self.world.order(self.world.weak.loads, index, order))
    }

    fn store(&self, index: usize, value: u64, order: Ordering) {
        let left = self.left.get();
        if left > 0 {
            self.left.set(left - 1);
            self.world.words[index].store(value, self.world.order(self.world.weak.stores, index, order));
        }
    }

    fn fence(&self, order: Ordering) {
        if !self.world.weak.fences {
            fence(order);
        }
    }
}

impl World {
    /// A world whose page has these words; all others are zero.
    pub fn new(words: &[(usize, u64)], weak: Weak) -> Arc<Self> {
        let of = |index| words.iter().find(|(i, _)| *i == index).map_or(0, |(_, value)| *value);
        Arc::new(World {
            words: std::array::from_fn(|index| AtomicU64::new(of(index))),
            bytes: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            lock: Mutex::new(()),
            weak,
        })
    }

    /// A world whose page describes the first file, with one byte, published by generation 1.
    pub fn settled(weak: Weak) -> Arc<Self> {
        let world = World::new(&[], weak);
        let page = world.page();
        page.lay_out(12, 0);
        world.write(1, 1);
        page.publish_file(&file(1, 1), &durable(1));
        world
    }

    fn order(&self, weak: bool, index: usize, order: Ordering) -> Ordering {
        let this = weak && self.weak.only.is_none_or(|only| only == index);
        if this { Ordering::Relaxed } else { order }
    }

    /// The page, as another process has it.
    pub fn page(self: &Arc<Self>) -> Page<Door> {
        self.page_until(usize::MAX)
    }

    /// The page of a process that dies after `left` stores.
    pub fn page_until(self: &Arc<Self>, left: usize) -> Page<Door> {
        Page::new(Door { world: Arc::clone(self), left: Cell::new(left) }, BOOT)
    }

    /// Writes the n-th byte of a file.
    pub fn write(&self, id: u64, nth: u64) {
        self.bytes[id as usize - 1][nth as usize - 1].store(id * 10 + nth, Ordering::Relaxed);
    }

    /// Panics if this must never be seen: words of two files, or a length with bytes that are not written yet.
    pub fn judge(&self, it: &Published) {
        let id = u64::from(it.shard_id[0]);
        assert!(id == 1 || id == 2, "words of no file: {it:?}");
        assert_eq!(it.shard_id, file(id, 1).shard_id, "half an id: {it:?}");
        assert!(it.generation > base(id), "a generation of another file: {it:?}");
        assert!(it.snapshot >= it.generation - base(id), "a snapshot older than its generation: {it:?}");
        assert!(it.committed >= it.snapshot, "a snapshot beyond what is published: {it:?}");
        for nth in 1..=it.committed {
            let byte = self.bytes[id as usize - 1][nth as usize - 1].load(Ordering::Relaxed);
            assert_eq!(byte, id * 10 + nth, "published before it was written: byte {nth} of {it:?}");
        }
    }
}

/// Generations of the second file come after those of the first.
const fn base(id: u64) -> u64 {
    (id - 1) * 10
}

/// What the page says about a file with this many bytes.
pub fn file(id: u64, bytes: u64) -> Published {
    let mut shard_id = [0; 16];
    (shard_id[0], shard_id[8]) = (id as u8, id as u8);
    Published {
        generation: base(id) + bytes,
        shard_id,
        committed: bytes,
        snapshot: bytes,
        ..Published::default()
    }
}

/// What the page says if this many bytes survive a power cut.
pub fn durable(bytes: u64) -> Durable {
    Durable { bytes, dir_pending: true, ..Durable::default() }
}
