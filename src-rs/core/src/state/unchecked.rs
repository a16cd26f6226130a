//! The first look-ups of a handle, whose deltas nobody has checked whole yet.
//!
//! A delta is an index snapshot with an older one beneath. Damage in it could uncover an entry that was replaced, so
//! it is checked whole before it is believed; but that takes longer than all else of opening where the shard is
//! large, and many a process asks for a few entries only. A delta knows each entry twice, though: in its slots, and in
//! the list of full hashes, in the same order. Where both say the same of a hash, damage would have had to hit both of
//! them, in two places that lie apart, and leave the order of the hashes around it likely. That is believed for a few
//! look-ups; anything else is a reason to check the deltas whole.

use super::{Scratch, State};
use crate::error::Result;
use crate::index::group::Group;
use crate::index::snapshot::{HASH_LEN, Table, mulhi};
use crate::limits::CHECK_AT_ONCE;
use crate::sidecar::Published;
use zerocopy::FromBytes;
use zerocopy::little_endian::U64;

/// Which index snapshots are checked whole when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// All deltas.
    Deltas,
    /// Short ones; the others by `State::check_deltas`.
    ShortDeltas,
}

impl Check {
    pub(super) fn is_due(self, table: &Table) -> bool {
        table.is_delta() && (self == Check::Deltas || table.frame_len <= CHECK_AT_ONCE)
    }
}

/// Hashes on each side of where one should stand among evenly spread ones: so many times the root of their number.
const SPREAD: usize = 4;
/// Hashes on each side that must be in order.
const NEIGHBOURS: usize = 4;
/// Times the mean distance that two neighbours may be apart. One of e^40 is by chance.
const LIKELY_GAP: u64 = 40;

impl State {
    /// As `follow` for a state that was just opened; long deltas are not checked where the file is mapped.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn follow_unchecked(&mut self, news: &Published, scratch: &mut Scratch) -> Result<bool> {
        let check = if self.view.wants_mapping() { Check::ShortDeltas } else { Check::Deltas };
        let followed = self.follow_as(news, scratch, check)?;
        self.unchecked = followed && self.deltas().any(|table| !check.is_due(table));
        Ok(followed)
    }

    /// Whether there are deltas that were not checked whole.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// Checks whole what was not yet. Returns whether it is.
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

    /// Whether a table's frame is what was sealed there.
    pub(super) fn is_whole(&self, table: &Table, scratch: &mut Vec<u8>) -> bool {
        let Ok(len) = usize::try_from(table.frame_len) else { return false };
        self.view.get(table.frame, len, scratch).is_some_and(|bytes| self.sealer.verify(bytes, table.frame))
    }

    /// Whether each delta says the same of a hash in its slots and among its full hashes.
    #[must_use]
    pub fn deltas_agree(&self, hash: u64) -> bool {
        self.deltas().all(|table| {
            let found = self.in_slots(table, hash);
            found.is_some() && found == self.among_hashes(table, hash)
        })
    }

    /// How many slots may be the hash's.
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

    /// How many of the full hashes are this one. `None` where they are out of order near it, or too far apart.
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
        // At an end of what was looked at, more of them may stand beyond it, unless it is an end of all.
        if (at == 0 && first != 0) || (behind == hashes.len() && last != count) {
            return None;
        }
        let near = at.saturating_sub(NEIGHBOURS)..behind.saturating_add(NEIGHBOURS).min(hashes.len());
        let likely = (u64::MAX / table.count.max(1)).saturating_mul(LIKELY_GAP);
        // From one to the next over the hash itself, and over the ends of all.
        let below = at.checked_sub(1).map_or(Some(0), |at| hashes.get(at).map(|it| it.get()))?;
        let above = hashes.get(behind).map_or(u64::MAX, |it| it.get());
        let next_to_each_other = |a: u64, b: u64| b.checked_sub(a).is_some_and(|gap| gap <= likely);
        let sound = next_to_each_other(below, hash)
            && next_to_each_other(hash, above)
            && hashes.get(near)?.is_sorted_by(|a, b| next_to_each_other(a.get(), b.get()));
        sound.then_some(listed)
    }
}
