//! The index: from a key's hash to the places where its frame may be.
//!
//! A *place* is a frame's offset, with one bit that marks a tombstone. A look-up searches the tail, then
//! the index snapshots from the newest to the oldest. The key in the frame itself decides whether a
//! place is the right one, so a damaged index can hide an entry, but never return a wrong one.

pub mod group;
pub mod merge;
pub mod snapshot;
pub mod tail;

/// Where a frame begins, and whether it is a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u64);

const TOMBSTONE_BIT: u64 = 1 << 63;

impl Place {
    /// The place of a record or a tombstone.
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

    /// Whether the frame is a tombstone.
    #[inline(always)]
    #[must_use]
    pub fn is_tombstone(self) -> bool {
        self.0 & TOMBSTONE_BIT != 0
    }
}

/// A key's hash and the place of a frame of that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The key's hash.
    pub hash: u64,
    /// The frame's place.
    pub place: Place,
}
