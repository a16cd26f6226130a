//! What a handle can say of itself and its file.

use super::Shard;
use std::sync::Arc;

/// What a power cut might cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durability {
    /// Frames published in this boot and not flushed.
    pub pending_entries: u64,
    /// Bytes published and not flushed, index included.
    pub pending_bytes: u64,
    /// Whether a power cut would cost nothing.
    pub durable: bool,
}

/// Numbers on a shard. The counters are this handle's own, with what is done for it in the background.
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
    /// Entries behind the newest of them.
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
    /// Entries not stored, for want of a producer.
    pub rejected_puts: u64,
    /// Entries deleted by name.
    pub deletes: u64,
    /// Entries dropped by compaction or `evictStale`.
    pub evictions: u64,
    /// Flushes asked for.
    pub flushes: u64,
    /// Compactions done by this handle.
    pub compactions: u64,
    /// Times that news of others was taken in.
    pub refreshes: u64,
    /// Times that the system refused to let us read; the old view served on.
    pub read_errors: u64,
    /// Whether bytes come from a memory mapping.
    pub mapped: bool,
    /// Why the file reads as empty.
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

    /// Numbers on the file and on what this handle did.
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
