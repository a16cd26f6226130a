//! The first look-ups of a handle, before it has checked its deltas entirely.
//!
//! A delta is an index snapshot with an older one below it. Damage in it could uncover an entry that was replaced, so
//! it must be checked before it is believed. In a large shard, checking all its bytes takes longer than everything else
//! that opening does, and many processes look up only a few entries. But a delta contains each entry twice: in its slots,
//! and in the list of full hashes, in the same order. If both agree about a hash, damage would have to hit both, in two
//! distant places, and leave the hashes around it in a likely order. For a few look-ups that is good enough. As soon as
//! the two disagree, the deltas are checked entirely.

use super::{Scratch, State};
use crate::error::Result;
use crate::index::group::Group;
use crate::index::snapshot::{HASH_LEN, Table, mulhi};
use crate::limits::CHECK_AT_ONCE;
use crate::sidecar::Published;
use zerocopy::FromBytes;
use zerocopy::little_endian::U64;

/// Which index snapshots are checked entirely when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// All deltas.
    Deltas,
    /// Only short deltas; `State::check_deltas` checks the others later.
    ShortDeltas,
}

impl Check {
    pub(super) fn is_due(self, table: &Table) -> bool {
        table.is_delta() && (self == Check::Deltas || table.frame_len <= CHECK_AT_ONCE)
    }
}

/// How far a hash is searched for on each side of its expected position, in square roots of the number of hashes.
const SPREAD: usize = 4;
/// Hashes on each side that must be in order.
const NEIGHBOURS: usize = 4;
/// How far two neighbouring hashes may be apart, in mean distances. One distance in e^40 is larger by chance.
const LIKELY_GAP: u64 = 40;

impl State {
    /// Like `follow`, for a state that was just opened. Long deltas are not checked yet if the file is to be mapped.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn follow_unchecked(&mut self, news: &Published, scratch: &mut Scratch) -> Result<bool> {
        let check = if self.view.wants_mapping() { Check::ShortDeltas } else { Check::Deltas };
        let followed = self.follow_as(news, scratch, check)?;
        self.unchecked = followed && self.deltas().any(|table| !check.is_due(table));
        Ok(followed)
    }

    /// Whether there are deltas that were not checked entirely.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// Checks all deltas entirely, unless that was done already. Returns whether they are undamaged.
    #[must_use]
    pub(super) fn check_deltas(&mut self) -> bool {
        let mut scratch = Vec::new();
        let whole = !self.unchecked || self.deltas().all(|table| self.is_whole(table, &mut scratch));
        self.unchecked &= !whole;
        whole
    }

    fn deltas(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| table.is_delta())
    }

    /// Whether a table's frame is exactly what was sealed there.
    pub(super) fn is_whole(&self, table: &Table, scratch: &mut Vec<u8>) -> bool {
        let Ok(len) = usize::try_from(table.frame_len) else { return false };
        self.view.get(table.frame, len, scratch).is_some_and(|bytes| self.sealer.verify(bytes, table.frame))
    }

    /// Whether in each delta the slots and the full hashes agree about a hash.
    #[must_use]
    pub fn deltas_agree(&self, hash: u64) -> bool {
        self.deltas().all(|table| {
            let found = self.in_slots(table, hash);
            found.is_some() && found == self.among_hashes(table, hash)
        })
    }

    /// How many slots may belong to the hash. `None` if they are not mapped.
    fn in_slots(&self, table: &Table, hash: u64) -> Option<usize> {
        let probe = table.probe(hash);
        let mut found = 0usize;
        for group in Group::all(self.view.mapped(probe.from, probe.len)?) {
            found = found.saturating_add(group.candidates(hash).count());
            if !group.is_full() {
                break;
            }
        }
        Some(found)
    }

    /// How many of the full hashes are equal to this one. `None` if those near it are out of order or too far apart, or
    /// if it is not near its expected position.
    fn among_hashes(&self, table: &Table, hash: u64) -> Option<usize> {
        let count = usize::try_from(table.count).ok()?;
        let about = usize::try_from(mulhi(hash, table.count)).ok()?;
        let spread = count.isqrt().saturating_mul(SPREAD).saturating_add(NEIGHBOURS);
        let (first, last) = (about.saturating_sub(spread), about.saturating_add(spread).min(count));
        let from = table.hashes_at().checked_add((first as u64).checked_mul(HASH_LEN)?)?;
        let bytes = self.view.mapped(from, last.checked_sub(first)?.checked_mul(HASH_LEN as usize)?)?;
        let hashes = <[U64]>::ref_from_bytes(bytes).ok()?;
        let at = hashes.partition_point(|it| it.get() < hash);
        let listed = hashes.get(at..)?.iter().take_while(|it| it.get() == hash).count();
        let behind = at.saturating_add(listed);
        // If the position is at an end of the searched range, there may be more equal hashes beyond it, unless all end there.
        if (at == 0 && first != 0) || (behind == hashes.len() && last != count) {
            return None;
        }
        let near = at.saturating_sub(NEIGHBOURS)..behind.saturating_add(NEIGHBOURS).min(hashes.len());
        let likely = (u64::MAX / table.count.max(1)).saturating_mul(LIKELY_GAP);
        // The hashes directly below and above this one; at the ends of the list, the least and the greatest number.
        let below = at.checked_sub(1).map_or(Some(0), |at| hashes.get(at).map(|it| it.get()))?;
        let above = hashes.get(behind).map_or(u64::MAX, |it| it.get());
        let next_to_each_other = |a: u64, b: u64| b.checked_sub(a).is_some_and(|gap| gap <= likely);
        let sound = next_to_each_other(below, hash)
            && next_to_each_other(hash, above)
            && hashes.get(near)?.is_sorted_by(|a, b| next_to_each_other(a.get(), b.get()));
        sound.then_some(listed)
    }
}
