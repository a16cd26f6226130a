//! Which records this process has already checked: one bit for each 128 bytes of the file.
//!
//! Frames are at least that long, so no two share a bit. The bits come in blocks, made when the first
//! one in them is set: memory follows what is used, not how long a file claims to be.

use crate::limits::MIN_FRAME_LEN;

/// Words of a block: 16 KiB for 16 MiB of file.
const BLOCK: usize = 2048;

/// A set of frame offsets.
#[derive(Debug, Default)]
pub struct Bits {
    blocks: Vec<Option<Box<[u64; BLOCK]>>>,
}

#[inline(always)]
fn at(offset: u64) -> (usize, usize, u64) {
    let bit = offset / MIN_FRAME_LEN;
    let word = (bit / 64) as usize;
    (word / BLOCK, word % BLOCK, 1 << (bit % 64))
}

impl Bits {
    /// Whether the frame at `offset` is in the set.
    #[inline(always)]
    #[must_use]
    pub fn contains(&self, offset: u64) -> bool {
        let (block, word, bit) = at(offset);
        match self.blocks.get(block) {
            Some(Some(words)) => words.get(word).is_some_and(|w| w & bit != 0),
            _ => false,
        }
    }

    /// Puts a frame in.
    pub fn insert(&mut self, offset: u64) {
        let (block, word, bit) = at(offset);
        if block >= self.blocks.len() {
            self.blocks.resize_with(block.saturating_add(1), || None);
        }
        let Some(block) = self.blocks.get_mut(block) else {
            return;
        };
        let words = block.get_or_insert_with(|| Box::new([0; BLOCK]));
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

    #[test]
    fn neighbours_do_not_share_a_bit() {
        let mut bits = Bits::default();
        bits.insert(4096 + 128);
        assert!(bits.contains(4096 + 128) && !bits.contains(4096) && !bits.contains(4096 + 256));
        bits.insert(1 << 33);
        assert!(bits.contains(4096 + 128) && bits.contains(1 << 33));
        bits.clear();
        assert!(!bits.contains(4096 + 128));
    }

    #[test]
    fn the_end_of_the_longest_file_costs_little() {
        let mut bits = Bits::default();
        bits.insert(crate::limits::MAX_FILE_LEN - 128);
        assert!(bits.contains(crate::limits::MAX_FILE_LEN - 128));
    }
}
