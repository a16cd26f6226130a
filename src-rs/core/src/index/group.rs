//! The slots of an index snapshot, and the groups of eight that look-ups read them in.
//!
//! A slot is one 64-bit word: 23 bits of the hash as a tag, one tombstone bit, and the frame's offset in
//! units of 16 bytes (40 bits). The tag is mixed with the other bits, so that a damaged byte of a slot
//! leads nowhere: it could else lead to an older record of the same key, which is whole. Zero is an
//! empty slot; a group is filled from its front.
//!
//! A group is a cache line. All of its tags are compared at once, without a branch in between: where in
//! its group an entry stands is chance, and a branch on it would be guessed wrong every other time.

use super::{Entry, Place};
use crate::limits::ALIGN;

/// Bytes of a slot, and of a full hash.
pub const SLOT_LEN: u64 = 8;
/// Slots of a group.
pub const GROUP_SLOTS: u64 = 8;
/// Bytes of a group.
pub const GROUP_LEN: usize = 64;
const _: () = assert!(GROUP_LEN as u64 == GROUP_SLOTS * SLOT_LEN);

const OFFSET_BITS: u32 = 40;
/// Bits of the high half of a slot that belong to the place.
const PLACE_BITS: u32 = 9;

/// The tag of a hash, in place in the high half of a slot.
#[inline(always)]
#[must_use]
pub fn tag(hash: u64) -> u32 {
    (hash as u32) << PLACE_BITS
}

/// What is mixed into the tag of a slot with these halves, in its high 23 bits. No change of one byte of
/// the place leaves it as it is.
#[inline(always)]
fn mixed(low: u32, high: u32) -> u32 {
    low ^ (low << PLACE_BITS) ^ (high << (32 - PLACE_BITS))
}

/// Zero where a slot with these halves has this tag.
#[inline(always)]
fn difference(low: u32, high: u32, tag: u32) -> u32 {
    (mixed(low, high) ^ high ^ tag) >> PLACE_BITS
}

/// The slot of an entry.
#[must_use]
pub fn slot(entry: Entry) -> u64 {
    let tombstone = u64::from(entry.place.is_tombstone()) << OFFSET_BITS;
    let place = tombstone | (entry.place.offset() / ALIGN);
    let (low, high) = (place as u32, (place >> 32) as u32);
    let tag = (mixed(low, high) ^ tag(entry.hash)) >> PLACE_BITS << PLACE_BITS;
    u64::from(tag | high) << 32 | u64::from(low)
}

/// The place that a slot names.
#[inline(always)]
#[must_use]
pub fn place(slot: u64) -> Place {
    let offset = (slot & ((1 << OFFSET_BITS) - 1)).saturating_mul(ALIGN);
    Place::new(offset, slot >> OFFSET_BITS & 1 != 0)
}

/// Eight slots.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a>(&'a [[u8; 8]; 8]);

impl<'a> Group<'a> {
    /// The groups that these bytes hold.
    #[inline(always)]
    pub fn all(bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks::<8>().0.as_chunks::<8>().0.iter().map(Group)
    }

    /// Whether entries whose home this is may stand in the next group.
    #[inline(always)]
    #[must_use]
    pub fn is_full(self) -> bool {
        self.0.last().is_some_and(|slot| *slot != [0; 8])
    }

    /// The places of the slots that have this tag.
    #[inline(always)]
    pub fn tagged(self, tag: u32) -> impl Iterator<Item = Place> + 'a {
        let mut lows = [0u32; 8];
        let mut highs = [0u32; 8];
        for ((slot, low), high) in self.0.iter().zip(&mut lows).zip(&mut highs) {
            let slot = u64::from_le_bytes(*slot);
            (*low, *high) = (slot as u32, (slot >> 32) as u32);
        }
        let mut found = 0u8;
        for (i, (low, high)) in lows.iter().zip(&highs).enumerate() {
            found |= u8::from(difference(*low, *high, tag) == 0) << i;
        }
        let slots = self.0;
        std::iter::from_fn(move || {
            let at = found.trailing_zeros();
            // None is left where this is the number of slots.
            let slot = slots.get(at as usize)?;
            found &= found.wrapping_sub(1);
            Some(place(u64::from_le_bytes(*slot)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(slots: [u64; 8]) -> Vec<u8> {
        slots.iter().flat_map(|slot| slot.to_le_bytes()).collect()
    }

    fn tagged(slot: u64, hash: u64) -> Vec<Place> {
        let bytes = group([0, 0, 0, slot, 0, 0, 0, 0]);
        Group::all(&bytes).flat_map(|g| g.tagged(tag(hash)).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_slot_with_a_damaged_byte_keeps_no_tag() {
        for offset in [4096, 0x1234_5678_9A0, crate::limits::MAX_FILE_LEN - ALIGN] {
            for tombstone in [false, true] {
                let entry = Entry { hash: 0x1234_5678_9ABC_DEF0, place: Place::new(offset, tombstone) };
                let whole = slot(entry);
                assert_eq!(tagged(whole, entry.hash), [entry.place]);
                for byte in 0..8 {
                    for change in 1..=255u64 {
                        assert_eq!(tagged(whole ^ (change << (byte * 8)), entry.hash), []);
                    }
                }
            }
        }
    }

    #[test]
    fn every_slot_of_a_group_is_found_in_order() {
        let hash = 77;
        let places: Vec<Place> = (1..=8).map(|i| Place::new(i * 4096, i % 3 == 0)).collect();
        let mut slots = [0; 8];
        for filled in 1..=8usize {
            slots[filled - 1] = slot(Entry { hash, place: places[filled - 1] });
            let bytes = group(slots);
            let it = Group::all(&bytes).next().unwrap();
            assert_eq!(it.tagged(tag(hash)).collect::<Vec<_>>(), &places[..filled]);
            assert_eq!(it.tagged(tag(hash + 1)).count(), 0);
            assert_eq!(it.is_full(), filled == 8);
        }
    }
}
