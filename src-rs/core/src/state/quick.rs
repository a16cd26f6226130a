//! The quick way of a look-up: what is so in nearly every case, and nothing else.
//!
//! A mapped file, no validator asked for; an entry with one part, without a validator, that never expires and
//! was verified by this process; or no entry at all. Whatever is different, damaged or doubtful is not
//! decided here: `State::lookup` is asked, which knows all cases. With those in between, the processor
//! would move results about for longer than it takes to find them.

use super::State;
use crate::frame::{HEAD_LEN, Head, align};
use crate::index::Place;
use crate::index::group::Group;
use crate::key;

/// What the quick way comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quick {
    /// Usable: offset and bytes of its one part.
    Hit(u64, u32),
    /// Absent or deleted.
    Miss,
    /// Not a case of the quick way.
    Ask,
}

enum Verdict {
    Usable(u64, u32),
    OtherKey,
}

impl State {
    /// Looks up a stored key.
    #[inline(always)]
    #[must_use]
    pub fn look_quickly(&self, stored: &[u8], hash: u64, producer: u64) -> Quick {
        if !self.tail.is_empty() {
            for place in self.tail.candidates(hash) {
                match self.judge_quickly(place, stored, hash, producer) {
                    Some(Verdict::Usable(offset, len)) => return Quick::Hit(offset, len),
                    Some(Verdict::OtherKey) => {}
                    None => return Quick::Ask,
                }
            }
        }
        for table in &self.tables {
            let probe = table.probe(hash);
            let Some(slots) = self.view.mapped(probe.from, probe.len) else {
                return Quick::Ask;
            };
            for group in Group::all(slots) {
                for place in group.candidates(hash) {
                    match self.judge_quickly(place, stored, hash, producer) {
                        Some(Verdict::Usable(offset, len)) => return Quick::Hit(offset, len),
                        Some(Verdict::OtherKey) => {}
                        None => return Quick::Ask,
                    }
                }
                if !group.is_full() {
                    break;
                }
            }
        }
        Quick::Miss
    }

    /// What the frame at a place means for a key, if that is a case of the quick way.
    #[inline(always)]
    fn judge_quickly(&self, place: Place, stored: &[u8], hash: u64, producer: u64) -> Option<Verdict> {
        let key_end = HEAD_LEN.saturating_add(stored.len());
        let lens_end = key_end.saturating_add(4);
        let frame = self.view.mapped(place.offset(), lens_end)?;
        let head = Head::read(frame)?;
        if usize::from(head.key_len.get()) != stored.len()
            || !key::same(frame.get(HEAD_LEN..key_end)?, stored)
        {
            // One of the same hash is hardly another: its bytes may be damaged.
            return (head.key_hash.get() != hash).then_some(Verdict::OtherKey);
        }
        if head.producer.get() != producer || place.is_tombstone() || !head.is_plain() {
            return None;
        }
        // The offset is made of what is known without the head: the processor, which guesses that the head is as
        // expected, goes on with it while the head is still on its way from memory.
        let offset = align(place.offset().saturating_add(lens_end as u64));
        let len = u32::from_le_bytes(*frame.last_chunk()?);
        let usable = self.ready.contains(place.offset()) && self.view.contains(offset, u64::from(len));
        usable.then_some(Verdict::Usable(offset, len))
    }
}
