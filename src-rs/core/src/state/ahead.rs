//! Looking ahead: memory that a later look-up will touch is asked for now.
//!
//! A look-up waits for memory three times, and each wait tells where the next is: the index slot, the head of the
//! frame, the value. So a key goes through three stages, with other keys in between: by the time of a stage,
//! what the one before it has asked for has come. Nothing is decided here: a wrong guess costs time, no more.

use super::State;
use crate::frame::{HEAD_LEN, Head};
use crate::index::group::Group;

/// Keys between two stages of a key.
const APART: usize = 4;
/// Keys between the first look ahead to a key and its look-up.
pub const AHEAD: usize = 3 * APART;

/// The keys between their first and their last stage: the hash, then the frame, by turn.
#[derive(Debug, Default)]
pub struct Ahead {
    waiting: [u64; 2 * APART],
    turn: usize,
}

impl Ahead {
    /// Takes a key in, by its hash, and brings earlier ones on by a stage.
    pub fn look(&mut self, state: &State, hash: u64) {
        state.fetch_slots(hash);
        let newer = self.turn.wrapping_add(APART) % self.waiting.len();
        if let Some(middle) = self.waiting.get_mut(newer) {
            *middle = state.fetch_head(*middle);
        }
        if let Some(oldest) = self.waiting.get_mut(self.turn) {
            state.fetch_value(*oldest);
            *oldest = hash;
        }
        self.turn = self.turn.wrapping_add(1) % self.waiting.len();
    }
}

impl State {
    fn fetch_slots(&self, hash: u64) {
        for table in &self.tables {
            self.view.fetch(table.probe(hash).from);
        }
    }

    /// Gives the offset of the frame; zero for none.
    fn fetch_head(&self, hash: u64) -> u64 {
        let groups = self.tables.iter().filter_map(|table| {
            let probe = table.probe(hash);
            Group::all(self.view.mapped(probe.from, probe.len)?).next()
        });
        let Some(place) = groups.flat_map(|group| group.candidates(hash)).next() else { return 0 };
        // The half of the head that is looked at, and the key behind it.
        self.view.fetch(place.offset().saturating_add(HEAD_LEN as u64));
        self.view.fetch(place.offset().saturating_add(2 * HEAD_LEN as u64));
        place.offset()
    }

    fn fetch_value(&self, frame: u64) {
        let Some(head) = self.view.mapped(frame, HEAD_LEN).and_then(Head::read) else { return };
        let (lens_end, length) = (head.layout().lens_end as u64, head.length.get());
        self.view.fetch(frame.saturating_add(lens_end));
        // Where the last part ends, or close before: behind it come two short names.
        self.view.fetch(frame.saturating_add(length.saturating_sub(HEAD_LEN as u64 / 2)));
    }
}
