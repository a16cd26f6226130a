//! Turns: who has waited for a lock for long asks those who come later to let him go first.
//!
//! A lock that comes free goes to whoever asks for it at that moment, and who writes without a pause asks at once. Nothing but
//! time depends on this word: it ends by itself, so nobody waits for one who died, and any bytes in it delay a change by
//! `MAX_GIVE_WAY_MS` at most.

use super::{Sidecar, word};
use crate::clock::ticks_ms;
use crate::limits::TURN_MS;
use std::sync::atomic::{AtomicU64, Ordering};

impl Sidecar {
    /// A page that is not mapped has none: looking at it would be a system call for each put.
    fn turn(&self) -> Option<&AtomicU64> {
        self.shared().and_then(|words| words.word(word::TURN))
    }

    fn set_turn(&self, until_ms: u64) {
        if self.writable
            && let Some(turn) = self.turn()
        {
            turn.store(until_ms, Ordering::Relaxed);
        }
    }

    /// Asks whoever comes to wait for a moment. Needs no lock.
    pub fn ask_for_turn(&self) {
        self.set_turn(ticks_ms().saturating_add(TURN_MS));
    }

    /// Takes that back.
    pub fn take_turn(&self) {
        self.set_turn(0);
    }

    /// Whether somebody has asked for it.
    #[inline]
    #[must_use]
    pub fn is_turn_taken(&self) -> bool {
        let until = self.turn().map_or(0, |turn| turn.load(Ordering::Relaxed));
        until != 0 && until.checked_sub(ticks_ms()).is_some_and(|left| left > 0 && left <= TURN_MS)
    }
}
