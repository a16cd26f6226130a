//! Whether the same strings are looked up again and again: then whoever asks does well to keep the answers.
//!
//! Of all strings some are watched, by where their bytes lie; one that comes again from the same place with the same
//! bytes is the very object that came before. How many are watched follows how many there are, so that this costs
//! next to nothing. Once answers were kept, it is sooner told: V8 then knows the strings' hashes, as it does of all that
//! were keys of a Map. It decides nothing but who answers: a wrong guess costs time only.

use std::cell::{Cell, OnceCell};
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

/// Strings that are remembered.
const SLOTS: usize = 256;
/// Look-ups of watched strings between two thoughts, and how many of them must have been repeated hits.
const ENOUGH: u32 = 64;
const REPEATED: u32 = 48;
/// Of so many strings one is watched, at first and at least, as powers of two.
const FIRST_SHARE: u32 = 2;
const LEAST_SHARE: u32 = 10;
/// Ticks that bring fewer look-ups of watched strings than this have too few of them watched.
const QUIET: u32 = 32;
const FEW: u32 = 8;
/// Of the look-ups between two ticks so many must be of strings whose hash is known.
const KNOWN: u32 = 896;

/// Place and hash of a string's bytes.
type Slot = Cell<(usize, u64)>;

/// See the module's head.
#[derive(Debug)]
pub struct Repeats {
    /// Those whose product is not above it are watched.
    bound: Cell<u64>,
    share: Cell<u32>,
    came: Cell<u32>,
    again: Cell<u32>,
    quiet: Cell<u32>,
    known: Cell<u32>,
    slots: OnceCell<Box<[Slot]>>,
}

/// Scatters addresses, of which neighbours have much in common.
#[inline(always)]
fn product(key: &[u8]) -> u64 {
    (key.as_ptr().addr() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Default for Repeats {
    fn default() -> Self {
        let it = Repeats {
            bound: Cell::new(0),
            share: Cell::new(0),
            came: Cell::new(0),
            again: Cell::new(0),
            quiet: Cell::new(0),
            known: Cell::new(0),
            slots: OnceCell::new(),
        };
        it.watch(FIRST_SHARE);
        it
    }
}

impl Repeats {
    /// Counts a look-up: 1 if V8 knows the string's hash.
    #[inline(always)]
    pub fn count(&self, hashed: u32) {
        self.known.set(self.known.get().wrapping_add(hashed));
    }

    /// Whether a string is to be noted when its answer is known.
    #[inline(always)]
    pub fn watches(&self, key: &[u8]) -> bool {
        product(key) <= self.bound.get()
    }

    /// Notes a look-up of a watched string, in which era it was, and whether its answer could be kept. Returns whether it
    /// is time to.
    pub fn note(&self, key: &[u8], era: u32, keepable: bool) -> bool {
        let slots = self.slots.get_or_init(|| vec![Cell::new((0, 0)); SLOTS].into());
        let mut hasher = DefaultHasher::new();
        hasher.write_u32(era);
        hasher.write(key);
        let it = (key.as_ptr().addr(), hasher.finish());
        let at = (product(key) >> 16) as usize % SLOTS;
        let before = slots.get(at).map(|slot| slot.replace(it));
        let again = u32::from(keepable && before == Some(it));
        self.came.set(self.came.get().wrapping_add(1));
        self.again.set(self.again.get().wrapping_add(again));
        self.came.get() >= ENOUGH && self.think()
    }

    fn think(&self) -> bool {
        let often = self.again.get() >= REPEATED;
        // Where there are many strings, fewer of them come again sooner.
        self.watch(if often { self.share.get() } else { self.share.get().saturating_add(2) });
        often
    }

    /// Says that a thousand look-ups or so have passed. Returns whether it is time to keep answers.
    pub fn tick(&self) -> bool {
        self.quiet.set(self.quiet.get().wrapping_add(1));
        if self.quiet.get() >= QUIET {
            self.quiet.set(0);
            if self.came.get() < FEW {
                self.watch(self.share.get().saturating_sub(2));
            }
        }
        self.known.take() >= KNOWN
    }

    fn watch(&self, share: u32) {
        self.share.set(share.min(LEAST_SHARE));
        self.bound.set(u64::MAX >> self.share.get());
        self.came.set(0);
        self.again.set(0);
        self.quiet.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks these up in turn; how many look-ups it took until it was time to keep answers.
    fn rounds<'a>(keys: impl Iterator<Item = &'a [u8]>, keepable: bool) -> Option<usize> {
        let it = Repeats::default();
        keys.enumerate()
            .find(|(i, key)| {
                if i % 1024 == 0 {
                    it.tick();
                }
                it.watches(key) && it.note(key, 0, keepable)
            })
            .map(|(i, _)| i)
    }

    fn keys(count: usize) -> Vec<u8> {
        (0..count * 8).map(|i| ((i / 8) >> (i % 8 * 8)) as u8).collect()
    }

    #[test]
    fn strings_that_come_again_are_noticed_however_many_there_are() {
        for count in [1, 2, 7, 100, 10_000, 100_000] {
            let bytes = keys(count);
            let all = || bytes.as_chunks::<8>().0.iter().map(|key| key.as_slice()).cycle();
            assert!(rounds(all().take(1_000_000), true).is_some(), "{count}");
            assert_eq!(rounds(all().take(1_000_000), false), None, "{count}, but nothing to keep");
        }
    }

    #[test]
    fn strings_that_are_new_each_time_are_not() {
        // At the same places, as a heap of young objects has them.
        let mut place = [0; 512 * 8];
        let it = Repeats::default();
        for round in 0..2000u64 {
            it.tick();
            for (i, key) in place.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                *key = (round * 512 + i as u64).to_le_bytes();
                assert!(!(it.watches(key) && it.note(key, 0, true)));
            }
        }
    }

    #[test]
    fn strings_whose_hash_is_known_are_noticed_at_the_next_tick() {
        let it = Repeats::default();
        for (hashed, noticed) in [(1, true), (0, false), (1, true)] {
            (0..1024).for_each(|_| it.count(hashed));
            assert_eq!(it.tick(), noticed);
        }
        (0..512).for_each(|_| it.count(1));
        assert!(!it.tick(), "half of them are not enough");
    }

    #[test]
    fn too_many_to_keep_are_not() {
        let bytes = keys(2_000_000);
        let all = bytes.as_chunks::<8>().0.iter().map(|key| key.as_slice());
        assert_eq!(rounds(all.cycle().take(6_000_000), true), None);
    }
}
