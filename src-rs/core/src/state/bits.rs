//! Which records this handle has already checked.
//!
//! There is one bit for each 128 bytes of the file. Frames are at least that long, so no two of them share a bit. But a
//! forged index could name a place inside a checked frame, or shortly before it, which must not pass for a checked frame.
//! Only a keyed digest protects against forgery, so with a keyed digest there is a bit for each place where a frame could
//! begin.
//!
//! The bits are in blocks, and a block is allocated when its first bit is set. So memory depends on what is used, not on
//! the length that a file claims to have.

use crate::digest::Digest;
use crate::limits::{ALIGN, MIN_FRAME_LEN};

/// Bytes of the file that a block stands for. Its bits take 16 KiB; with a keyed digest, 128 KiB.
const BLOCK_LEN: u64 = 16 << 20;

/// A set of frame offsets.
#[derive(Debug)]
pub struct Bits {
    blocks: Vec<Option<Box<[u64]>>>,
    /// Bytes that one bit stands for, as a power of two.
    shift: u32,
}

impl Bits {
    /// An empty set, for a file with this digest.
    #[must_use]
    pub fn new(digest: &Digest) -> Self {
        let unit = if matches!(digest, Digest::Keyed(_)) { ALIGN } else { MIN_FRAME_LEN };
        Bits { blocks: Vec::new(), shift: unit.ilog2() }
    }

    #[inline(always)]
    fn at(&self, offset: u64) -> (usize, usize, u64) {
        let bit = (offset % BLOCK_LEN) >> self.shift;
        ((offset / BLOCK_LEN) as usize, (bit / 64) as usize, 1 << (bit % 64))
    }

    /// Whether the frame at `offset` is in the set.
    #[inline(always)]
    #[must_use]
    pub fn contains(&self, offset: u64) -> bool {
        let (block, word, bit) = self.at(offset);
        match self.blocks.get(block) {
            Some(Some(words)) => words.get(word).is_some_and(|w| w & bit != 0),
            _ => false,
        }
    }

    /// Puts a frame in.
    pub fn insert(&mut self, offset: u64) {
        let (block, word, bit) = self.at(offset);
        if block >= self.blocks.len() {
            self.blocks.resize_with(block.saturating_add(1), || None);
        }
        let Some(block) = self.blocks.get_mut(block) else {
            return;
        };
        let words = ((BLOCK_LEN / 64) >> self.shift) as usize;
        let words = block.get_or_insert_with(|| vec![0; words].into_boxed_slice());
        if let Some(w) = words.get_mut(word) {
            *w |= bit;
        }
    }

    /// Empties the set.
    pub fn clear(&mut self) {
        self.blocks = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_FILE_LEN;

    #[test]
    fn neighbours_do_not_share_a_bit() {
        let keyed = Digest::keyed(&[1; 32]).unwrap();
        for (digest, unit) in [(Digest::Xxh3, 128), (Digest::Blake3, 128), (keyed, 16)] {
            let mut bits = Bits::new(&digest);
            for offset in [4096 + unit, BLOCK_LEN - unit, BLOCK_LEN, 1 << 33, MAX_FILE_LEN - unit] {
                bits.insert(offset);
                assert!(bits.contains(offset), "{offset}");
                assert!(!bits.contains(offset - 2 * unit) && !bits.contains(offset + 2 * unit), "{offset}");
            }
            assert!(!bits.contains(4096) && !bits.contains(4096 + 2 * unit));
            bits.clear();
            assert!(!bits.contains(4096 + unit));
        }
    }

    #[test]
    fn the_end_of_the_longest_file_costs_little() {
        let mut bits = Bits::new(&Digest::Xxh3);
        bits.insert(MAX_FILE_LEN - 128);
        assert!(bits.contains(MAX_FILE_LEN - 128) && bits.blocks.iter().flatten().count() == 1);
    }
}
