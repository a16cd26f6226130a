//! The quick way of a look-up; see `state/quick.rs`.

use super::Shard;
use crate::key;
use crate::limits::HITS_PER_CLOCK;
use crate::state::Quick;

impl Shard {
    /// What `get` without a validator would find, counted as it would be; or that it must be asked.
    #[inline(always)]
    pub fn get_quickly(&mut self, key: &[u8]) -> Quick {
        let found = self.peek_quickly(key);
        match found {
            Quick::Hit(..) => {
                // The last hit before a look at the clock is that of `get`.
                let Some(left) = self.hits_left.checked_sub(2) else { return Quick::Ask };
                self.hits_left = left.wrapping_add(1);
                self.lookups.hits = self.lookups.hits.wrapping_add(1);
            }
            Quick::Miss => self.count_miss(),
            Quick::Ask => {}
        }
        found
    }

    /// Whether the last hit was one that looked at the clock.
    #[must_use]
    pub fn just_looked_at_clock(&self) -> bool {
        self.hits_left == HITS_PER_CLOCK
    }

    /// Asks for the memory that looking up this key will touch, when `AHEAD` more keys have been looked ahead to.
    #[inline(always)]
    pub fn look_ahead(&mut self, key: &[u8]) {
        if let Some(state) = self.state.as_deref() {
            self.ahead.look(state, state.keys.hash(key));
        }
    }

    /// As `get_quickly`, for `peek`: nothing is counted.
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
