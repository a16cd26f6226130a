//! Automatic compaction, on a thread and a handle of its own.

use super::{Job, Patience, Shard};
use crate::clock::ticks_ms;
use crate::limits::{MAX_LOCK_BACKOFF_US, MIN_COMPACT_BYTES};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Least time between two automatic compactions of one handle, in milliseconds.
const PAUSE_MS: u64 = 1000;

/// How long a change leaves the lock to a compaction that waits for it: four of the longest pauses between its tries.
const GIVE_WAY: Duration = Duration::from_micros(MAX_LOCK_BACKOFF_US * 4);

/// Time between two checks whether the thread still runs.
const LOOK_PAUSE: Duration = Duration::from_micros(100);

/// The compacting thread, if there is one.
#[derive(Debug, Default)]
pub(super) struct Background {
    thread: Option<JoinHandle<()>>,
    job: Arc<Job>,
    started_ms: Option<u64>,
}

impl Background {
    fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }

    /// Waits for the thread's end. The time during which the thread itself waits for a lock counts towards the call's
    /// `lockTimeout`.
    fn join_within(&mut self, patience: &Patience) {
        while self.is_running() {
            let waits = self.job.is_waiting();
            if waits && patience.is_over() {
                return;
            }
            let since = Instant::now();
            std::thread::sleep(LOOK_PAUSE);
            if waits {
                patience.spend_since(since);
            }
        }
        self.join();
    }

    /// Waits for the thread's end.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread reports nothing: if compaction fails, the file stays as it was.
            let _ = thread.join();
        }
    }

    /// Leaves the lock to the thread if that waits for it. A process that writes without a pause would otherwise never
    /// let it take the lock.
    fn give_way(&self) {
        let start = Instant::now();
        while self.is_running() && self.job.is_waiting() && start.elapsed() < GIVE_WAY {
            std::thread::sleep(LOOK_PAUSE);
        }
    }

    /// Asks the thread to end, without waiting. The thread removes its temporary file.
    pub fn cancel(&self) {
        self.job.abort();
    }
}

impl Shard {
    /// Whether more than half of the file is dead bytes, or the file is larger than `maxBytes`.
    fn wants_compaction(&self) -> bool {
        let Some(state) = &self.state else { return false };
        state.end > self.options.max_bytes
            || (state.end >= MIN_COMPACT_BYTES && state.dead_bytes() > state.end / 2)
    }

    /// Starts compaction if it pays. The calling change waits for it only if the file is more than twice
    /// as large as `maxBytes`.
    pub(super) fn compact_in_background(&mut self, patience: &Patience) {
        if !self.options.auto_compact || !self.wants_compaction() {
            return;
        }
        let far_too_large =
            self.state.as_ref().is_some_and(|s| s.end > self.options.max_bytes.saturating_mul(2));
        let now = ticks_ms();
        let paused = self.background.started_ms.is_some_and(|at| now.saturating_sub(at) < PAUSE_MS);
        if !self.background.is_running() && (!paused || far_too_large) {
            self.start_compaction(now);
        }
        if far_too_large {
            self.background.join_within(patience);
        } else {
            self.background.give_way();
        }
    }

    fn start_compaction(&mut self, now: u64) {
        self.background.started_ms = Some(now);
        let job = Arc::new(Job::default());
        self.background.job = Arc::clone(&job);
        let opener = self.opener();
        let work = move || {
            // The result is not needed: if compaction fails, the file stays as it was.
            if let Ok(mut shard) = opener.open(&job) {
                let _ = shard.compact(&job);
            }
        };
        self.background.thread =
            std::thread::Builder::new().name("warmshard-compact".into()).spawn(work).ok();
    }
}
