//! Counters of what a handle has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of look-ups. Only the handle itself uses them, so they are plain numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lookups {
    pub hits: u64,
    pub misses: u64,
    pub stale: u64,
    pub corrupt: u64,
    pub refreshes: u64,
    pub read_errors: u64,
}

/// Counters of changes. A handle shares them with the handles that work for it on other threads.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub puts: Count,
    pub rejected_puts: Count,
    pub deletes: Count,
    pub evictions: Count,
    pub flushes: Count,
    pub compactions: Count,
}

/// A counter that only rises.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
