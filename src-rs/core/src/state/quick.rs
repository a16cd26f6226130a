//! The quick way of a look-up: it handles the most common cases, and nothing else.
//!
//! The file is mapped and no validator is given. Either the entry has one part, no validator and no expiry, and
//! this handle has verified it; or there is no entry. Everything else, and everything damaged or doubtful, is
//! left to `State::lookup`, which handles all cases. If it were handled in the same code, the compiler would need
//! more registers, and saving them would take longer than the look-up itself.

use super::State;
use crate::frame::{HEAD_LEN, Head, align};
use crate::index::Place;
use crate::index::group::{GROUP_LEN, Group};
use crate::index::snapshot::Table;
use crate::key;

/// The answer of the quick way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quick {
    /// Usable: offset and length of its one part.
    Hit(u64, u32),
    /// Absent.
    Miss,
    /// Not a case of the quick way: the full look-up must decide.
    Ask,
}

/// Where the newest entry of a hash may be.
enum Candidate {
    At(Place),
    Nowhere,
    /// The index is not mapped.
    Unknown,
}

impl State {
    /// Looks up a stored key.
    #[inline(always)]
    #[must_use]
    pub fn look_quickly(&self, stored: &[u8], hash: u64, producer: u64) -> Quick {
        match self.candidate(hash) {
            Candidate::At(place) => self.judge_quickly(place, stored, producer).unwrap_or(Quick::Ask),
            Candidate::Nowhere => Quick::Miss,
            Candidate::Unknown => Quick::Ask,
        }
    }

    /// The first candidate of a hash. If it belongs to another key, which is rare, the full look-up must decide. So the
    /// frame is examined in one place of the code, and not inside these loops.
    #[inline(always)]
    fn candidate(&self, hash: u64) -> Candidate {
        if !self.tail.is_empty()
            && let Some(place) = self.tail.candidates(hash).next()
        {
            return Candidate::At(place);
        }
        for table in &self.tables {
            let home = self.view.mapped(table.home(hash), GROUP_LEN);
            let Some(group) = home.and_then(|slots| Group::all(slots).next()) else {
                return Candidate::Unknown;
            };
            if let Some(place) = group.candidates(hash).next() {
                return Candidate::At(place);
            }
            if group.is_full() {
                match self.candidate_behind(table, hash) {
                    Candidate::Nowhere => {}
                    other => return other,
                }
            }
        }
        Candidate::Nowhere
    }

    /// The first candidate in the groups behind a full home.
    #[inline(never)]
    fn candidate_behind(&self, table: &Table, hash: u64) -> Candidate {
        let probe = table.probe(hash);
        let Some(slots) = self.view.mapped(probe.from, probe.len) else { return Candidate::Unknown };
        for group in Group::all(slots).skip(1) {
            if let Some(place) = group.candidates(hash).next() {
                return Candidate::At(place);
            }
            if !group.is_full() {
                break;
            }
        }
        Candidate::Nowhere
    }

    /// The answer, if the frame at a place has this key and is a case of the quick way.
    #[inline(always)]
    fn judge_quickly(&self, place: Place, stored: &[u8], producer: u64) -> Option<Quick> {
        let key_end = HEAD_LEN.saturating_add(stored.len());
        let lens_end = key_end.saturating_add(4);
        let frame = self.view.mapped(place.offset(), lens_end)?;
        let head = Head::read(frame)?;
        if !head.is_plain(u16::try_from(stored.len()).ok()?)
            || head.producer.get() != producer
            || place.is_tombstone()
            || !key::same(frame.get(HEAD_LEN..key_end)?, stored)
        {
            return None;
        }
        // The offset is computed without reading the head. So the processor, which predicts that the head is as
        // expected, can go on with it before the head has arrived from memory.
        let offset = align(place.offset().saturating_add(lens_end as u64));
        let len = u32::from_le_bytes(*frame.last_chunk()?);
        let usable = self.ready.contains(place.offset()) && self.view.contains(offset, u64::from(len));
        usable.then_some(Quick::Hit(offset, len))
    }
}
