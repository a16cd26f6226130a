//! The index: from a key's hash to the places where its frame may be.
//!
//! A *place* is a frame's offset with one bit that tells a tombstone. Newest first, a look-up asks
//! the tail, then each index snapshot. Only the frame itself decides whether a place is the right
//! one: a damaged index can hide an entry, never show a wrong one.

pub mod group;
pub mod merge;
pub mod snapshot;
pub mod tail;

/// Where a frame begins, and whether it is a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u64);

const TOMBSTONE_BIT: u64 = 1 << 63;

impl Place {
    /// A record's place, or a tombstone's.
    #[must_use]
    pub fn new(offset: u64, tombstone: bool) -> Self {
        Place(offset | if tombstone { TOMBSTONE_BIT } else { 0 })
    }

    /// The frame's offset in the file.
    #[inline(always)]
    #[must_use]
    pub fn offset(self) -> u64 {
        self.0 & !TOMBSTONE_BIT
    }

    /// Whether the frame says that the key is gone.
    #[inline(always)]
    #[must_use]
    pub fn is_tombstone(self) -> bool {
        self.0 & TOMBSTONE_BIT != 0
    }
}

/// A hash and the place of a frame whose key has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The key's hash.
    pub hash: u64,
    /// The frame.
    pub place: Place,
}
