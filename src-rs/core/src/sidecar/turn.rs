//! Turns: a call that has waited for a lock for long asks later calls to let it go first.
//!
//! A lock that becomes free goes to the first process that tries to take it, and a process that writes without a pause tries
//! at once. The word here is only a hint. A request expires by itself, so nobody waits for a process that died, and any
//! damage to the word delays a change by `MAX_GIVE_WAY_MS` at most.

use super::{Sidecar, word};
use crate::clock::ticks_ms;
use crate::limits::TURN_MS;
use std::sync::atomic::{AtomicU64, Ordering};

impl Sidecar {
    /// `None` if the page is not mapped: then each put would need a system call to read the word.
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

    /// Asks later calls to wait for a moment. The caller need not hold the lock.
    pub fn ask_for_turn(&self) {
        self.set_turn(ticks_ms().saturating_add(TURN_MS));
    }

    /// Withdraws that request: the caller has its turn.
    pub fn take_turn(&self) {
        self.set_turn(0);
    }

    /// Whether another call has asked for its turn, and the request has not expired.
    #[inline]
    #[must_use]
    pub fn is_turn_taken(&self) -> bool {
        let until = self.turn().map_or(0, |turn| turn.load(Ordering::Relaxed));
        until != 0 && until.checked_sub(ticks_ms()).is_some_and(|left| left > 0 && left <= TURN_MS)
    }
}
