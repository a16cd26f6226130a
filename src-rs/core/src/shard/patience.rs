//! How long one call waits for locks, all of them together.
//!
//! A call may need the lock of the sidecar, that of the file, and both again where somebody replaces them or
//! where it consists of several changes. Each wait takes from the same `lockTimeout`, and work in between takes
//! nothing. Without a wait no clock is read.

use super::{Options, Shard};
use crate::limits::LONG_WAIT_MS;
use std::cell::Cell;
use std::time::Instant;

/// What a call has left of its `lockTimeout`, and what it has waited, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Cell<u64>,
    waited: Cell<u64>,
}

impl Patience {
    /// For a call that begins.
    pub fn of(options: &Options) -> Self {
        Patience::with(options.lock_timeout_ms.saturating_mul(1_000_000))
    }

    /// For who takes a lock only if nobody has it.
    pub fn none() -> Self {
        Patience::with(0)
    }

    fn with(left: u64) -> Self {
        Patience { left: Cell::new(left), waited: Cell::new(0) }
    }

    pub fn is_over(&self) -> bool {
        self.left.get() == 0
    }

    /// Whether it has waited for so long that others should let it go first.
    pub fn is_long(&self) -> bool {
        self.waited.get() >= LONG_WAIT_MS * 1_000_000
    }

    /// Takes away what was waited since then. Returns the present.
    pub fn spend_since(&self, then: Instant) -> Instant {
        let now = Instant::now();
        let waited = u64::try_from(now.saturating_duration_since(then).as_nanos()).unwrap_or(u64::MAX);
        self.left.set(self.left.get().saturating_sub(waited));
        self.waited.set(self.waited.get().saturating_add(waited));
        now
    }
}

impl Shard {
    pub(super) fn patience(&self) -> Patience {
        self.begun.take().unwrap_or_else(|| Patience::of(&self.options))
    }
}
