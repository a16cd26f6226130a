//! The quick way of a look-up; see `state/quick.rs`.

use super::Shard;
use crate::key;
use crate::limits::HITS_PER_CLOCK;
use crate::state::Quick;

impl Shard {
    /// Like `get` without a validator, and counted in the same way, but [`Quick::Ask`] if `get` itself must be called.
    #[inline(always)]
    pub fn get_quickly(&mut self, key: &[u8]) -> Quick {
        let found = self.peek_quickly(key);
        match found {
            Quick::Hit(..) => {
                // The hit that reads the clock is left to `get`.
                let Some(left) = self.hits_left.checked_sub(2) else { return Quick::Ask };
                self.hits_left = left.wrapping_add(1);
                self.lookups.hits = self.lookups.hits.wrapping_add(1);
            }
            Quick::Miss => self.count_miss(),
            Quick::Ask => {}
        }
        found
    }

    /// Whether the last hit was one that read the clock.
    #[must_use]
    pub fn just_looked_at_clock(&self) -> bool {
        self.hits_left == HITS_PER_CLOCK
    }

    /// Begins to prefetch what a look-up of this key will read. All of it was prefetched after `AHEAD` more such calls.
    #[inline(always)]
    pub fn look_ahead(&mut self, key: &[u8]) {
        if let Some(state) = self.state.as_deref() {
            self.ahead.look(state, state.keys.hash(key));
        }
    }

    /// Like `get_quickly`, but nothing is counted.
    #[inline(always)]
    pub fn peek_quickly(&mut self, key: &[u8]) -> Quick {
        self.catch_up_for(key);
        let (Some(state), Some(producer), true) = (self.state.as_deref(), self.rootless, key::is_plain(key))
        else {
            return Quick::Ask;
        };
        state.look_quickly(key, state.keys.hash(key), producer)
    }
}
