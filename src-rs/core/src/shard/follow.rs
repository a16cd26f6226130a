//! Catching up with what other handles publish, and noticing that files were replaced by hand.

use super::Shard;
use crate::error::Result;
use crate::key;
use crate::limits::{HITS_PER_CLOCK, IDENTITY_CHECK_MS, MISSES_PER_CLOCK, RECENCY_EPOCH_MS};
use crate::sidecar::Sidecar;

impl Shard {
    /// Whether the page has another generation than this handle knows.
    #[inline(always)]
    fn is_behind(&self) -> bool {
        self.sidecar.as_ref().is_some_and(|sidecar| sidecar.generation() != self.known)
    }

    /// Catches up with everything published so far. If there is nothing new, this is one atomic load.
    #[inline(always)]
    pub fn catch_up(&mut self) {
        if self.is_behind() {
            self.refresh();
        }
    }

    /// The same for a look-up of one key.
    #[inline(always)]
    pub(super) fn catch_up_for(&mut self, key: &[u8]) {
        if self.is_behind() {
            self.refresh_for(key);
        }
    }

    #[cold]
    fn refresh_for(&mut self, key: &[u8]) {
        if !self.may_look_up(key) {
            self.refresh();
        }
    }

    /// Whether a key may be looked up although the deltas were not checked entirely yet; see `state/unchecked.rs`.
    fn may_look_up(&mut self, key: &[u8]) -> bool {
        let (Some(left), Some(state), Some(sidecar)) =
            (self.lookups_unchecked.checked_sub(1), self.state.as_deref(), &self.sidecar)
        else {
            return false;
        };
        if !state.is_unchecked() || sidecar.generation() != state.generation {
            return false;
        }
        self.lookups_unchecked = left;
        let stored = key::stored(key, self.options.root.as_ref());
        let may = stored.is_ok_and(|stored| state.deltas_agree(state.keys.hash(&stored)));
        // The answer of such a look-up must not be kept.
        self.end_era();
        may
    }

    /// Catches up. If that fails, the look-up does not fail: the error is counted, and the next call
    /// tries again.
    #[cold]
    fn refresh(&mut self) {
        self.lookups.refreshes = self.lookups.refreshes.wrapping_add(1);
        if let Err(_error) = self.try_refresh() {
            self.lookups.read_errors = self.lookups.read_errors.wrapping_add(1);
        }
        if self.is_behind() {
            self.end_era();
        }
    }

    /// Catches up, for callers that must not go on with an outdated state.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails.
    pub(super) fn must_catch_up(&mut self) -> Result<()> {
        if self.is_behind() { self.try_refresh() } else { Ok(()) }
    }

    fn try_refresh(&mut self) -> Result<()> {
        let Some(sidecar) = self.sidecar.as_mut() else {
            return Ok(());
        };
        // Forget earlier errors, so that only those of this refresh count.
        let _ = sidecar.could_reach();
        sidecar.follow();
        // Without valid news, a writer is replacing the file or died while doing so, or the page is damaged. What this
        // handle has may be older than what was published before that, so the file is opened again.
        let news = sidecar.published();
        sidecar.could_reach()?;
        let Some(news) = news else { return self.load() };
        if let Some(state) = self.state.as_mut() {
            let followed = state.follow(&news, &mut self.scratch);
            if self.unless_unknown(followed)? {
                self.know(news.generation);
                return Ok(());
            }
        }
        self.load()
    }

    /// Reads the clock at every miss while misses are rare, and at only some of them while they come fast:
    /// reading it costs a quarter of a miss.
    #[inline(always)]
    pub(super) fn check_after_miss(&mut self) {
        match self.misses_left.checked_sub(1) {
            Some(left) => self.misses_left = left,
            None => self.check_at_miss(),
        }
    }

    #[cold]
    fn check_at_miss(&mut self) {
        let before = self.checked_ms;
        self.check_identity();
        let fast = self.checked_ms == before;
        let between = self.misses_between.saturating_mul(2).saturating_add(1).min(MISSES_PER_CLOCK);
        self.misses_between = if fast { between } else { 0 };
        self.misses_left = self.misses_between;
    }

    /// Checks, at most four times a second, whether the files at the paths are still the open ones. This
    /// notices files that were replaced or deleted by hand; what other handles do is known from the page.
    #[cold]
    pub fn check_identity(&mut self) {
        let now = self.storage.ticks_ms();
        self.hits_left = HITS_PER_CLOCK;
        if now.saturating_sub(self.checked_ms) < IDENTITY_CHECK_MS {
            return;
        }
        self.checked_ms = now;
        let epoch = now / RECENCY_EPOCH_MS;
        if epoch != self.recency_epoch {
            self.recency_epoch = epoch;
            self.end_era();
            if let Some(state) = self.state.as_mut() {
                state.new_recency_epoch();
            }
        }
        if self.compare_identities().is_err() {
            self.lookups.read_errors = self.lookups.read_errors.wrapping_add(1);
        }
    }

    fn compare_identities(&mut self) -> Result<()> {
        let lock = self.storage.identity(&self.lock_path)?;
        let sidecar_gone = match &self.sidecar {
            Some(sidecar) => sidecar.is_replaced_by(lock),
            None => lock.is_some(),
        };
        let at_path = self.storage.identity(&self.path)?;
        let file_gone = match (&self.seen, &at_path) {
            (Some(seen), Some(there)) => {
                !seen.same_file(there) || self.state.as_ref().is_some_and(|s| there.len < s.end)
            }
            (None, None) => false,
            _ => true,
        };
        if sidecar_gone {
            // A look-up must not create a folder that was removed.
            self.attach_sidecar(false, &self.patience())?;
        }
        // If the page is still invalid, its writer died, or it is damaged.
        let lost = |s: &Sidecar| s.generation() != self.known && s.published().is_none();
        if sidecar_gone || file_gone || self.sidecar.as_ref().is_some_and(lost) {
            self.load()?;
        }
        Ok(())
    }
}
