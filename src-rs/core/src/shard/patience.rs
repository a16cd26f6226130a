//! How long one call may wait for locks, all of them together.
//!
//! A call may have to wait for the lock of the sidecar, for that of the file, and for both again if they are replaced
//! or if it consists of several changes. All waits together take at most `lockTimeout`; the work in between does not
//! count. A call that does not wait reads no clock.

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
    /// For a new call.
    pub fn of(options: &Options) -> Self {
        Patience::with(options.lock_timeout_ms.saturating_mul(1_000_000))
    }

    /// For a call that takes a lock only if it is free.
    pub fn none() -> Self {
        Patience::with(0)
    }

    fn with(left: u64) -> Self {
        Patience { left: Cell::new(left), waited: Cell::new(0) }
    }

    pub fn is_over(&self) -> bool {
        self.left.get() == 0
    }

    /// Whether the call has waited so long that others should let it go first.
    pub fn is_long(&self) -> bool {
        self.waited.get() >= LONG_WAIT_MS * 1_000_000
    }

    /// Subtracts the time since `then`, during which the call has waited. Returns the current time.
    pub fn spend_since(&self, then: Instant) -> Instant {
        let now = Instant::now();
        let waited = u64::try_from(now.saturating_duration_since(then).as_nanos()).unwrap_or(u64::MAX);
        self.left.set(self.left.get().saturating_sub(waited));
        self.waited.set(self.waited.get().saturating_add(waited));
        now
    }
}

impl Shard {
    /// For a call of this handle: what opening the handle left of it, if this is the first call, else all of it.
    pub(super) fn patience(&self) -> Patience {
        self.begun.take().unwrap_or_else(|| Patience::of(&self.options))
    }
}
