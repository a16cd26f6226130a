//! The slots of an index snapshot, in groups of eight that fill a cache line.
//!
//! A group begins with a byte of the hash for each slot; then come the slots' words of seven bytes: the
//! frame's offset in units of 16 bytes (40 bits), one tombstone bit, and 15 more bits of the hash, the
//! tag. So one 64-bit word tells which of eight slots to look at, without a branch for each: where in
//! its group an entry stands is chance, and a branch on it would be guessed wrong every other time.
//!
//! The tag is mixed with the place, so that a damaged byte of a word leads nowhere: it could else lead
//! to an older record of the same key, which is whole. A word that is zero is empty; a group is filled
//! from its front.

use super::{Entry, Place};
use crate::limits::ALIGN;

/// Slots of a group.
pub const GROUP_SLOTS: usize = 8;
/// Bytes of a group.
pub const GROUP_LEN: usize = 64;
const WORD_LEN: usize = 7;
const _: () = assert!(GROUP_SLOTS * (1 + WORD_LEN) == GROUP_LEN);

const OFFSET_BITS: u32 = 40;
/// The tombstone bit and the offset.
const PLACE_BITS: u32 = 41;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;
const TAG_BITS: u32 = 15;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;

/// One in each byte.
const ONES: u64 = u64::from_ne_bytes([1; 8]);
/// All but the highest bit of each byte.
const LOW_BITS: u64 = u64::from_ne_bytes([0x7F; 8]);

/// The tag of a hash, mixed with a place: no change of one byte of the place leaves it as it is.
#[inline(always)]
fn tag(hash: u64, place: u64) -> u64 {
    (hash >> 8 ^ place ^ (place >> TAG_BITS) ^ (place >> (2 * TAG_BITS))) & TAG_MASK
}

/// The byte and the word of an entry's slot.
fn slot(entry: Entry) -> (u8, [u8; WORD_LEN]) {
    let tombstone = u64::from(entry.place.is_tombstone()) << OFFSET_BITS;
    let place = tombstone | (entry.place.offset() / ALIGN);
    let [word @ .., _] = (tag(entry.hash, place) << PLACE_BITS | place).to_le_bytes();
    (entry.hash as u8, word)
}

/// The place that a word names.
#[inline(always)]
fn place(word: u64) -> Place {
    let offset = (word & ((1 << OFFSET_BITS) - 1)).saturating_mul(ALIGN);
    Place::new(offset, word >> OFFSET_BITS & 1 != 0)
}

/// Puts an entry into a slot of a group that is being made.
pub fn put(group: &mut [u8; GROUP_LEN], at: usize, entry: Entry) {
    let (byte, word) = slot(entry);
    let (bytes, words) = group.split_at_mut(GROUP_SLOTS);
    if let (Some(to), Some(word_to)) = (bytes.get_mut(at), words.as_chunks_mut().0.get_mut(at)) {
        (*to, *word_to) = (byte, word);
    }
}

/// Eight slots.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a>(&'a [u8; GROUP_LEN]);

impl<'a> Group<'a> {
    /// The groups that these bytes hold.
    #[inline(always)]
    pub fn all(bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks().0.iter().map(Group)
    }

    /// The word of a slot; zero for an empty one.
    #[inline(always)]
    fn word(self, at: usize) -> u64 {
        // With the byte before it: a load of seven bytes takes several instructions.
        let from = at.wrapping_mul(WORD_LEN).wrapping_add(GROUP_SLOTS - 1);
        let bytes = self.0.get(from..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes) >> 8)
    }

    /// Whether entries whose home this is may stand in the next group.
    #[inline(always)]
    #[must_use]
    pub fn is_full(self) -> bool {
        self.word(GROUP_SLOTS - 1) != 0
    }

    /// The places of the slots that may be this hash's.
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
    fn a_slot_with_a_damaged_byte_leads_nowhere() {
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
    fn neighbours_of_the_byte_looked_for_are_not_taken_for_it() {
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
