//! Eviction: keeping the store under a size.

use super::change::Origin;
use super::outputs::parts;
use super::payload::Payload;
use super::{ArtifactStore, Row, names};
use crate::clock::now_ns;
use crate::error::Result;
use crate::limits::RECENCY_TICK_MS;
use crate::shard::Foreign;

/// The store is measured once `maxBytes` divided by this has been inserted.
const MEASURE_FRACTION: u64 = 16;

impl ArtifactStore {
    /// Evicts artifacts until the sum of their total sizes, including those of other host builds, is at most
    /// `bytes`; then flushes. Payloads without metadata go first, then what was not used for the longest
    /// time; what was never used counts by the time it was stored. Returns how many were evicted.
    ///
    /// # Errors
    /// `ReadOnly`; those of `flush`.
    pub fn evict_to(&mut self, bytes: u64) -> Result<u64> {
        self.require_writable()?;
        let evicted = self.mark_for_eviction(bytes, true)?;
        self.flush()?;
        Ok(evicted)
    }

    /// Marks own artifacts as removed, and deletes those of other host builds at once. Spares outputs that
    /// this handle has put and that have no metadata yet, unless `all` is set: the host may insert it next.
    fn mark_for_eviction(&mut self, bytes: u64, all: bool) -> Result<u64> {
        let totals = self.measure()?;
        let foreign = self.foreign_rows()?;
        let theirs = foreign.iter().fold(0u64, |sum, (_, row)| sum.saturating_add(row.size()));
        let sum = totals.bytes.saturating_add(totals.hidden).saturating_add(theirs);
        let mut excess = sum.saturating_sub(bytes);
        if excess == 0 {
            return Ok(0);
        }
        let mut rows = self.rows()?;
        let fresh = |key: &str| self.changes.get(key).is_some_and(|change| change.origin == Origin::Own);
        rows.retain(|(key, row)| all || row.meta.is_some() || !fresh(key));
        let own = rows.into_iter().map(|(key, row)| (self.last_used_ns(&key, &row), key, row, None));
        let theirs = foreign
            .into_iter()
            .map(|(entry, row)| (self.last_used_ns(&entry.key, &row), entry.key.clone(), row, Some(entry)));
        let mut rows: Vec<_> = own.chain(theirs).collect();
        rows.sort_by(|(a, x, ..), (b, y, ..)| (a, x).cmp(&(b, y)));
        let (mut evicted, mut doomed) = (0u64, Vec::new());
        for (_, key, row, entry) in rows {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(row.size());
            evicted = evicted.saturating_add(u64::from(row.meta.is_some()));
            match entry {
                None => self.doom(&key, row.payload)?,
                Some(entry) => doomed.push((entry, row)),
            }
        }
        self.evict_foreign(&doomed)?;
        Ok(evicted)
    }

    /// Rows of other host builds. If those builds are no longer in use, only we can remove their rows.
    fn foreign_rows(&mut self) -> Result<Vec<(Foreign, Row)>> {
        let known = self.producer().is_some();
        let Some(index) = self.index.as_mut().filter(|_| known) else { return Ok(Vec::new()) };
        let entries = index.foreign_entries()?.into_iter();
        Ok(entries.filter_map(|entry| Row::decode(&entry.part).map(|row| (entry, row))).collect())
    }

    fn evict_foreign(&mut self, doomed: &[(Foreign, Row)]) -> Result<()> {
        for (entry, row) in doomed {
            let stem = names::stem(&entry.key);
            for part in row.payload.iter().flat_map(parts) {
                let name = names::file(&stem, part);
                let Some(file) = self.folder.open(&name)? else { continue };
                let theirs = |p: &Payload| {
                    p.key == entry.key
                        && p.producer == entry.producer
                        && row.payload.is_some_and(|info| info.set == p.set)
                };
                if Payload::open(file)?.as_ref().is_some_and(theirs) {
                    self.folder.remove(&name)?;
                }
            }
        }
        let entries: Vec<Foreign> = doomed.iter().map(|(entry, _)| entry.clone()).collect();
        self.index()?.delete_foreign(&entries).map(drop)
    }

    /// When an artifact was last used or, if never, stored; zero if it has no metadata.
    fn last_used_ns(&self, key: &str, row: &Row) -> u64 {
        let Some(meta) = &row.meta else { return 0 };
        let exact = self.uses.get(key).copied().unwrap_or(0);
        let about = self.index.as_ref().map_or(0, |index| index.last_used_ms(key.as_bytes()));
        // The table contains this handle's own uses as well, rounded up to a tick. For these the exact time
        // counts.
        let about = about.saturating_mul(1_000_000);
        let ours = about < exact.saturating_add(RECENCY_TICK_MS.saturating_add(1).saturating_mul(1_000_000));
        meta.stored_ns.max(exact).max(if ours { 0 } else { about })
    }

    /// Evicts if the store is over `max_bytes`. Measuring walks over all rows, so it is done once a share of
    /// the limit has been inserted. After less it is done at random, so that many short-lived processes are
    /// bounded, too.
    pub(super) fn evict_if_over(&mut self) -> Result<()> {
        let share = (self.options.max_bytes / MEASURE_FRACTION).max(1);
        if self.unmeasured == 0 || (self.unmeasured < share && now_ns() % share >= self.unmeasured) {
            return Ok(());
        }
        self.unmeasured = 0;
        self.mark_for_eviction(self.options.max_bytes, false).map(drop)
    }
}
