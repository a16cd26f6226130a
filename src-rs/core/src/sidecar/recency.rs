//! The recency table behind the page: approximately when each entry was last used.
//!
//! The table has one 32-bit tick for each bucket of key hashes. A use is noted at most once per entry,
//! process and minute, by a store to shared memory: a look-up writes no file and makes no system call.

use super::{PAGE, Sidecar, word};
use crate::clock::now_ms;
use crate::error::Result;
use crate::limits::{RECENCY_BITS, RECENCY_TICK_MS};
use std::sync::atomic::Ordering;

/// Bytes of a table of `1 << bits` buckets.
pub(super) const fn table_len(bits: u32) -> usize {
    4usize << bits
}

impl Sidecar {
    fn recency_bits(&self) -> u32 {
        let bits = u32::try_from(self.load(word::RECENCY_BITS)).unwrap_or(0);
        bits.clamp(*RECENCY_BITS.start(), *RECENCY_BITS.end())
    }

    fn bucket(&self, hash: u64) -> usize {
        // The top bits: then a bucket covers exactly two neighbouring buckets of a table twice the size.
        usize::try_from(hash >> 64u32.saturating_sub(self.recency_bits())).unwrap_or(0)
    }

    /// Notes that the entry with this key hash was used at this time. Does nothing if the page has no
    /// writable mapping.
    pub fn touch(&self, hash: u64, now_ms: u64) {
        let Some(words) = self.shared() else { return };
        if !words.writable() {
            return;
        }
        let since = now_ms.saturating_sub(self.load(word::RECENCY_BASE));
        let tick = u32::try_from(since.div_ceil(RECENCY_TICK_MS).saturating_add(1)).unwrap_or(u32::MAX);
        if let Some(slot) = words.tick(PAGE, self.bucket(hash)) {
            slot.fetch_max(tick, Ordering::Relaxed);
        }
    }

    /// When an entry with this key hash was last used, in milliseconds since the epoch; zero for
    /// never. Entries of one bucket share their tick.
    #[must_use]
    pub fn last_used_ms(&self, hash: u64) -> u64 {
        let Some(words) = self.shared() else { return 0 };
        match words.tick(PAGE, self.bucket(hash)).map_or(0, |t| t.load(Ordering::Relaxed)) {
            0 => 0,
            tick => {
                let ms = u64::from(tick.saturating_sub(1)).saturating_mul(RECENCY_TICK_MS);
                self.load(word::RECENCY_BASE).saturating_add(ms)
            }
        }
    }

    /// Enlarges the recency table to about one bucket per entry, within its limits, and empties it when
    /// its ticks are about to run out. The caller holds the lock; other handles follow when they next refresh.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails; the table stays as it was.
    pub fn fit_recency(&mut self, entries: u64) -> Result<()> {
        let old = self.recency_bits();
        let wanted = entries
            .checked_next_power_of_two()
            .map_or(u64::BITS, u64::trailing_zeros)
            .clamp(*RECENCY_BITS.start(), *RECENCY_BITS.end());
        let Some(words) = self.shared() else {
            return Ok(());
        };
        let now = now_ms();
        let base = self.load(word::RECENCY_BASE);
        let age = now.saturating_sub(base) / RECENCY_TICK_MS;
        // If the base is in the future, it is damaged, or the clock was set back.
        if base > now || age > u64::from(u32::MAX / 2) {
            for i in 0..(1usize << old) {
                if let Some(tick) = words.tick(PAGE, i) {
                    tick.store(0, Ordering::Relaxed);
                }
            }
            self.store(word::RECENCY_BASE, now);
        }
        if wanted <= old {
            return Ok(());
        }
        let len = (PAGE + table_len(wanted)) as u64;
        self.file().allocate(len)?;
        let Some(words) = self.file().words(len, true) else {
            return Ok(());
        };
        // Copies each old bucket to the new ones that it covers, from the last to the first, since both tables
        // begin at the same place.
        let shift = wanted.saturating_sub(old);
        for i in (0..(1usize << wanted)).rev() {
            if let (Some(from), Some(to)) = (words.tick(PAGE, i >> shift), words.tick(PAGE, i)) {
                to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        self.page.words.mapping = Some(words);
        self.store(word::RECENCY_BITS, u64::from(wanted));
        Ok(())
    }

    /// Maps the page again if another process has given it its layout or enlarged the recency table.
    pub fn follow(&mut self) {
        let wanted = PAGE + table_len(self.recency_bits());
        let there = match self.shared() {
            Some(words) => words.len(),
            None if self.mapped => 0,
            None => return,
        };
        if there < wanted
            && self.file().identity().is_ok_and(|i| i.len >= wanted as u64)
            && let Some(words) = self.file().words(wanted as u64, self.writable)
        {
            self.page.words.mapping = Some(words);
        }
    }
}
