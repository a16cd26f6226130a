//! Statistics of a handle and its file.

use super::Shard;
use std::sync::Arc;

/// What a power cut could lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durability {
    /// Frames published in this boot that are not flushed.
    pub pending_entries: u64,
    /// Bytes published that are not flushed, including index snapshots.
    pub pending_bytes: u64,
    /// Whether a power cut would lose nothing.
    pub durable: bool,
}

/// Numbers about a shard. The counters are those of this handle, including what is done for it on other threads.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Live entries, of all producers.
    pub entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes that compaction would free.
    pub dead_bytes: u64,
    /// Bytes of the index snapshots in use.
    pub index_bytes: u64,
    /// Index snapshots that a look-up may probe.
    pub index_snapshots: u64,
    /// Entries behind the newest index snapshot.
    pub tail_entries: u64,
    /// The generation.
    pub generation: u64,
    /// Look-ups that found a usable entry.
    pub hits: u64,
    /// Look-ups that found none.
    pub misses: u64,
    /// Look-ups whose entry had another validator or producer.
    pub stale: u64,
    /// Look-ups whose entry failed its digest.
    pub corrupt: u64,
    /// Entries stored.
    pub puts: u64,
    /// Entries not stored because the producer could not be identified.
    pub rejected_puts: u64,
    /// Entries deleted by key.
    pub deletes: u64,
    /// Entries dropped by compaction or `evictStale`.
    pub evictions: u64,
    /// Flushes.
    pub flushes: u64,
    /// Compactions.
    pub compactions: u64,
    /// How often this handle caught up with what others had published.
    pub refreshes: u64,
    /// How often files could not be read or checked; the handle then went on with what it knew.
    pub read_errors: u64,
    /// Whether the file is mapped.
    pub mapped: bool,
    /// Why the file reads as empty, if it does.
    pub rejected: Option<String>,
}

impl Shard {
    /// Live entries, of all producers.
    pub fn len(&mut self) -> u64 {
        self.catch_up();
        self.state.as_ref().map_or(0, |s| s.live_entries)
    }

    /// Whether there are none.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// The newest generation that is published.
    pub fn generation(&mut self) -> u64 {
        self.catch_up();
        let page = self.sidecar.as_ref().map_or(0, |s| s.credible_generation());
        self.state.as_ref().map_or(page, |s| s.generation.max(page))
    }

    /// Numbers about the file and about what this handle did.
    pub fn stats(&mut self) -> Stats {
        let generation = self.generation();
        let (looked, changed) = (self.lookups, Arc::clone(&self.changes));
        let mut stats = Stats {
            generation,
            hits: looked.hits,
            misses: looked.misses,
            stale: looked.stale,
            corrupt: looked.corrupt,
            puts: changed.puts.get(),
            rejected_puts: changed.rejected_puts.get(),
            deletes: changed.deletes.get(),
            evictions: changed.evictions.get(),
            flushes: changed.flushes.get(),
            compactions: changed.compactions.get(),
            refreshes: looked.refreshes,
            read_errors: looked.read_errors,
            rejected: self.rejected.map(|r| r.to_string()),
            ..Stats::default()
        };
        if let Some(state) = &self.state {
            stats.entries = state.live_entries;
            stats.live_bytes = state.live_bytes;
            stats.file_bytes = state.end;
            stats.dead_bytes = state.dead_bytes();
            stats.index_bytes = state.index_bytes();
            stats.index_snapshots = state.tables.len() as u64;
            stats.tail_entries = state.tail.len() as u64;
            stats.mapped = state.view.is_mapped();
        }
        stats
    }
}
