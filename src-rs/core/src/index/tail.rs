//! The tail: the entries written behind the newest index snapshot, kept in memory by each handle.
//!
//! A hash table with open addressing and linear probing. It has one entry for each key and producer; a
//! newer frame replaces it.

use super::{Entry, Place};

const FIRST_CAPACITY: usize = 64;
const EMPTY: Entry = Entry { hash: 0, place: Place(0) };

/// The entries behind the newest snapshot. Nothing is allocated for an empty tail.
#[derive(Debug, Default)]
pub struct Tail {
    slots: Vec<Entry>,
    len: usize,
}

impl Tail {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline(always)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes all entries, and frees the memory of an unusually long tail.
    pub fn clear(&mut self) {
        self.len = 0;
        if self.slots.len() > 4 * crate::limits::TAIL_ENTRIES {
            self.slots = Vec::new();
        } else {
            self.slots.fill(EMPTY);
        }
    }

    fn mask(&self) -> usize {
        self.slots.len().wrapping_sub(1)
    }

    /// The places of the entries with this hash. The walk ends, because at least half of the slots are empty.
    #[inline(always)]
    pub fn candidates(&self, hash: u64) -> impl Iterator<Item = Place> + '_ {
        let mask = self.mask();
        let mut at = hash as usize & mask;
        std::iter::from_fn(move || {
            loop {
                let slot = self.slots.get(at)?;
                if slot.place.0 == 0 {
                    return None;
                }
                at = at.wrapping_add(1) & mask;
                if slot.hash == hash {
                    return Some(slot.place);
                }
            }
        })
    }

    /// Inserts an entry, or replaces the one of the same key and producer. `same` says whether a place
    /// with the same hash is that one.
    pub fn upsert(&mut self, entry: Entry, mut same: impl FnMut(Place) -> bool) {
        if self.len.saturating_mul(2) >= self.slots.len() {
            self.grow();
        }
        let mask = self.mask();
        let mut at = entry.hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.place.0 == 0 {
                *slot = entry;
                self.len = self.len.saturating_add(1);
                return;
            }
            if slot.hash == entry.hash && same(slot.place) {
                *slot = entry;
                return;
            }
            at = at.wrapping_add(1) & mask;
        }
    }

    fn grow(&mut self) {
        let capacity = self.slots.len().saturating_mul(2).max(FIRST_CAPACITY);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; capacity]);
        self.len = 0;
        for entry in old.into_iter().filter(|e| e.place.0 != 0) {
            self.upsert(entry, |_| false);
        }
    }

    /// All entries, by hash.
    #[must_use]
    pub fn sorted(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = self.slots.iter().filter(|e| e.place.0 != 0).copied().collect();
        all.sort_unstable_by_key(|e| (e.hash, std::cmp::Reverse(e.place.offset())));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(hash: u64, offset: u64) -> Entry {
        Entry { hash, place: Place::new(offset, false) }
    }

    #[test]
    fn an_entry_replaces_only_the_one_with_the_same_hash_and_key() {
        let mut tail = Tail::default();
        tail.upsert(entry(7, 4096), |_| false);
        tail.upsert(entry(7, 8192), |_| false);
        assert_eq!(tail.candidates(7).count(), 2);
        tail.upsert(entry(7, 16384), |p| p.offset() == 4096);
        let places: Vec<u64> = tail.candidates(7).map(Place::offset).collect();
        assert_eq!(places, [16384, 8192]);
    }

    #[test]
    fn growth_keeps_every_entry() {
        let mut tail = Tail::default();
        for i in 1..5000u64 {
            tail.upsert(entry(i.wrapping_mul(0x9E37_79B9_7F4A_7C15), i * 16), |_| false);
        }
        assert_eq!((tail.len(), tail.sorted().len()), (4999, 4999));
        for i in 1..5000u64 {
            assert!(tail.candidates(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).any(|p| p.offset() == i * 16));
        }
        tail.clear();
        assert_eq!(tail.candidates(0).count(), 0);
    }
}
