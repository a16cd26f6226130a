//! Looking ahead: prefetches the memory that later look-ups will read.
//!
//! A look-up waits for memory three times: for the index slot, the head of the frame, and the value. Each of them tells
//! where the next one is. So each key goes through three stages, with other keys in between; when a stage comes, what the
//! stage before it has prefetched has arrived. Nothing is decided here: a wrong guess only costs time.

use super::State;
use crate::frame::{HEAD_LEN, Head};
use crate::index::group::Group;

/// Keys between two stages of a key.
const APART: usize = 4;
/// Keys between the first look ahead to a key and its look-up.
pub const AHEAD: usize = 3 * APART;

/// The keys between their first and their last stage.
#[derive(Debug, Default)]
pub struct Ahead {
    /// A ring: the hash of a key until its second stage, then the offset of its frame.
    waiting: [u64; 2 * APART],
    turn: usize,
}

impl Ahead {
    /// Begins the first stage of a key, given by its hash, and the next stage of two earlier ones.
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

    /// Returns the offset of the frame; zero for none.
    fn fetch_head(&self, hash: u64) -> u64 {
        let groups = self.tables.iter().filter_map(|table| {
            let probe = table.probe(hash);
            Group::all(self.view.mapped(probe.from, probe.len)?).next()
        });
        let Some(place) = groups.flat_map(|group| group.candidates(hash)).next() else { return 0 };
        // The end of the head, and the key behind it.
        self.view.fetch(place.offset().saturating_add(HEAD_LEN as u64));
        self.view.fetch(place.offset().saturating_add(2 * HEAD_LEN as u64));
        place.offset()
    }

    fn fetch_value(&self, frame: u64) {
        let Some(head) = self.view.mapped(frame, HEAD_LEN).and_then(Head::read) else { return };
        let (lens_end, length) = (head.layout().lens_end as u64, head.length.get());
        self.view.fetch(frame.saturating_add(lens_end));
        // At or shortly before the end of the last part: only two short names follow it.
        self.view.fetch(frame.saturating_add(length.saturating_sub(HEAD_LEN as u64 / 2)));
    }
}
