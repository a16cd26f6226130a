//! The slots of an index snapshot, in groups of eight that fill a cache line.
//!
//! A group begins with one byte of the hash for each slot. Then comes a word of seven bytes for each
//! slot: the frame's offset in units of 16 bytes (40 bits), one tombstone bit, and 15 more bits of the
//! hash, the tag. So one 64-bit comparison tells which of eight slots to look at. A branch for each slot
//! would often be mispredicted, because the position of an entry in its group is random.
//!
//! The tag is mixed with the place, so that a damaged byte of a word matches nothing. Otherwise the word
//! could lead to an older, undamaged record of the same key. A word that is zero is an empty slot; a
//! group is filled from its front.

use super::{Entry, Place};
use crate::limits::ALIGN;

/// Slots of a group.
pub const GROUP_SLOTS: usize = 8;
/// Bytes of a group.
pub const GROUP_LEN: usize = 64;
const WORD_LEN: usize = 7;
const _: () = assert!(GROUP_SLOTS * (1 + WORD_LEN) == GROUP_LEN);

const OFFSET_BITS: u32 = 40;
/// Bits of the offset and the tombstone bit together.
const PLACE_BITS: u32 = 41;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;
const TAG_BITS: u32 = 15;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;

/// The lowest bit of each byte.
const ONES: u64 = u64::from_ne_bytes([1; 8]);
/// All but the highest bit of each byte.
const LOW_BITS: u64 = u64::from_ne_bytes([0x7F; 8]);

/// The tag of a hash, mixed with a place: any change within one byte of the place changes the tag.
#[inline(always)]
fn tag(hash: u64, place: u64) -> u64 {
    (hash >> 8 ^ place ^ (place >> TAG_BITS) ^ (place >> (2 * TAG_BITS))) & TAG_MASK
}

/// The hash byte and the word of an entry's slot.
fn slot(entry: Entry) -> (u8, [u8; WORD_LEN]) {
    let tombstone = u64::from(entry.place.is_tombstone()) << OFFSET_BITS;
    let place = tombstone | (entry.place.offset() / ALIGN);
    let [word @ .., _] = (tag(entry.hash, place) << PLACE_BITS | place).to_le_bytes();
    (entry.hash as u8, word)
}

/// The place in a slot's word.
#[inline(always)]
fn place(word: u64) -> Place {
    let offset = (word & ((1 << OFFSET_BITS) - 1)).saturating_mul(ALIGN);
    Place::new(offset, word >> OFFSET_BITS & 1 != 0)
}

/// Writes an entry into a slot of a group.
pub fn put(group: &mut [u8; GROUP_LEN], at: usize, entry: Entry) {
    let (byte, word) = slot(entry);
    let (bytes, words) = group.split_at_mut(GROUP_SLOTS);
    if let (Some(to), Some(word_to)) = (bytes.get_mut(at), words.as_chunks_mut().0.get_mut(at)) {
        (*to, *word_to) = (byte, word);
    }
}

/// A group of eight slots.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a>(&'a [u8; GROUP_LEN]);

impl<'a> Group<'a> {
    /// The groups in these bytes.
    #[inline(always)]
    pub fn all(bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks().0.iter().map(Group)
    }

    /// The word of a slot; zero for an empty one.
    #[inline(always)]
    fn word(self, at: usize) -> u64 {
        // Loads eight bytes, from the byte before the word on: a load of seven takes several instructions.
        let from = at.wrapping_mul(WORD_LEN).wrapping_add(GROUP_SLOTS - 1);
        let bytes = self.0.get(from..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes) >> 8)
    }

    /// Whether all slots are occupied. Then entries whose home is this group may be in the next one.
    #[inline(always)]
    #[must_use]
    pub fn is_full(self) -> bool {
        self.word(GROUP_SLOTS - 1) != 0
    }

    /// The places in the slots that may belong to this hash.
    #[inline(always)]
    pub fn candidates(self, hash: u64) -> impl Iterator<Item = Place> + 'a {
        let bytes = self.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let differ = bytes ^ (hash & 0xFF).wrapping_mul(ONES);
        // The highest bit of each byte that is zero.
        let mut equal = !((differ & LOW_BITS).wrapping_add(LOW_BITS) | differ | LOW_BITS);
        std::iter::from_fn(move || {
            while equal != 0 {
                let word = self.word((equal.trailing_zeros() / 8) as usize);
                equal &= equal.wrapping_sub(1);
                if word != 0 && word >> PLACE_BITS == tag(hash, word & PLACE_MASK) {
                    return Some(place(word));
                }
            }
            None
        })
    }

    /// The places of the occupied slots.
    pub fn places(self) -> impl Iterator<Item = Place> + 'a {
        (0..GROUP_SLOTS).map(move |at| self.word(at)).take_while(|word| *word != 0).map(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: u64 = 0x1234_5678_9ABC_DEF0;

    fn candidates(group: &[u8; GROUP_LEN], hash: u64) -> Vec<Place> {
        Group(group).candidates(hash).collect()
    }

    #[test]
    fn a_slot_with_a_damaged_byte_matches_nothing() {
        for offset in [4096, 0x0123_4567_89A0, crate::limits::MAX_FILE_LEN - ALIGN] {
            for tombstone in [false, true] {
                for at in 0..GROUP_SLOTS {
                    let place = Place::new(offset, tombstone);
                    let mut group = [0; GROUP_LEN];
                    put(&mut group, at, Entry { hash: HASH, place });
                    assert_eq!(candidates(&group, HASH), [place]);
                    let word = GROUP_SLOTS + at * WORD_LEN;
                    for byte in (word..word + WORD_LEN).chain([at]) {
                        for change in 1..=255 {
                            group[byte] ^= change;
                            assert_eq!(candidates(&group, HASH), []);
                            group[byte] ^= change;
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_slot_of_a_group_is_found_in_order() {
        let places: Vec<Place> = (1..=8).map(|i| Place::new(i * 4096, i % 3 == 0)).collect();
        let mut group = [0; GROUP_LEN];
        for filled in 1..=GROUP_SLOTS {
            put(&mut group, filled - 1, Entry { hash: HASH, place: places[filled - 1] });
            assert_eq!(candidates(&group, HASH), &places[..filled]);
            assert_eq!(Group(&group).places().collect::<Vec<_>>(), &places[..filled]);
            assert_eq!(candidates(&group, HASH + 1), [], "another first byte");
            assert_eq!(candidates(&group, HASH + 0x100), [], "another tag");
            assert_eq!(Group(&group).is_full(), filled == GROUP_SLOTS);
        }
    }

    #[test]
    fn similar_hash_bytes_do_not_match() {
        for byte in 0..=255u64 {
            let mut group = [0; GROUP_LEN];
            for (at, hash) in [byte ^ 1, byte, byte.wrapping_add(1), byte.wrapping_sub(1), byte ^ 0x80]
                .into_iter()
                .enumerate()
            {
                put(&mut group, at, Entry { hash, place: Place::new(4096 * (1 + at as u64), false) });
            }
            assert_eq!(candidates(&group, byte), [Place::new(8192, false)]);
        }
    }
}
