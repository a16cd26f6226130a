//! Reports of the core as plain objects. Sizes and counts are numbers: exact up to 2^53.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use warmshard_core::shard::{CompactReport, Durability, EntryInfo, Stats, VerifyReport};

/// See `CompactReport` of the facade.
#[napi(object)]
pub struct NativeCompactReport {
    pub bytes_before: f64,
    pub bytes_after: f64,
    pub kept: f64,
    pub expired: f64,
    pub corrupt: f64,
    pub evicted: f64,
    pub replaced: bool,
}

impl From<CompactReport> for NativeCompactReport {
    fn from(r: CompactReport) -> Self {
        NativeCompactReport {
            bytes_before: r.bytes_before as f64,
            bytes_after: r.bytes_after as f64,
            kept: r.kept as f64,
            expired: r.expired as f64,
            corrupt: r.corrupt as f64,
            evicted: r.evicted as f64,
            replaced: r.replaced,
        }
    }
}

/// See `Fault` of the facade.
#[napi(object)]
pub struct NativeFault {
    pub offset: f64,
    pub key: Option<String>,
    pub reason: String,
}

/// See `VerifyReport` of the facade.
#[napi(object)]
pub struct NativeVerifyReport {
    pub ok: bool,
    pub frames: f64,
    pub records: f64,
    pub entries: f64,
    pub corrupt: f64,
    pub damaged_bytes: f64,
    pub unindexed: f64,
    pub faults: Vec<NativeFault>,
}

impl From<VerifyReport> for NativeVerifyReport {
    fn from(r: VerifyReport) -> Self {
        NativeVerifyReport {
            ok: r.is_sound(),
            frames: r.frames as f64,
            records: r.records as f64,
            entries: r.live as f64,
            corrupt: r.corrupt as f64,
            damaged_bytes: r.damaged_bytes as f64,
            unindexed: r.unindexed as f64,
            faults: r
                .faults
                .into_iter()
                .map(|f| NativeFault { offset: f.offset as f64, key: f.key, reason: f.reason })
                .collect(),
        }
    }
}

/// See `Durability` of the facade.
#[napi(object)]
pub struct NativeDurability {
    pub pending_entries: f64,
    pub pending_bytes: f64,
    pub durable: bool,
}

impl From<Durability> for NativeDurability {
    fn from(d: Durability) -> Self {
        NativeDurability {
            pending_entries: d.pending_entries as f64,
            pending_bytes: d.pending_bytes as f64,
            durable: d.durable,
        }
    }
}

/// See `ShardStats` of the facade.
#[napi(object)]
pub struct NativeStats {
    pub entries: f64,
    pub live_bytes: f64,
    pub file_bytes: f64,
    pub dead_bytes: f64,
    pub index_bytes: f64,
    pub index_snapshots: f64,
    pub tail_entries: f64,
    pub generation: f64,
    pub hits: f64,
    pub misses: f64,
    pub stale: f64,
    pub corrupt: f64,
    pub puts: f64,
    pub rejected_puts: f64,
    pub deletes: f64,
    pub evictions: f64,
    pub flushes: f64,
    pub compactions: f64,
    pub refreshes: f64,
    pub read_errors: f64,
    pub mapped: bool,
    pub rejected: Option<String>,
}

impl From<Stats> for NativeStats {
    fn from(s: Stats) -> Self {
        NativeStats {
            entries: s.entries as f64,
            live_bytes: s.live_bytes as f64,
            file_bytes: s.file_bytes as f64,
            dead_bytes: s.dead_bytes as f64,
            index_bytes: s.index_bytes as f64,
            index_snapshots: s.index_snapshots as f64,
            tail_entries: s.tail_entries as f64,
            generation: s.generation as f64,
            hits: s.hits as f64,
            misses: s.misses as f64,
            stale: s.stale as f64,
            corrupt: s.corrupt as f64,
            puts: s.puts as f64,
            rejected_puts: s.rejected_puts as f64,
            deletes: s.deletes as f64,
            evictions: s.evictions as f64,
            flushes: s.flushes as f64,
            compactions: s.compactions as f64,
            refreshes: s.refreshes as f64,
            read_errors: s.read_errors as f64,
            mapped: s.mapped,
            rejected: s.rejected,
        }
    }
}

/// See `EntryInfo` of the facade.
#[napi(object)]
pub struct NativeEntryInfo {
    pub key: String,
    pub part_lens: Vec<u32>,
    pub host_name: String,
    pub host_version: String,
    pub own: bool,
    pub cached_ms: f64,
    pub expires_ms: f64,
    pub last_used_ms: f64,
    pub generation: f64,
    pub validator_kind: u32,
    pub validator: Uint8Array,
    pub racy: bool,
}

impl From<EntryInfo> for NativeEntryInfo {
    fn from(i: EntryInfo) -> Self {
        let (kind, bytes) = i.validator;
        NativeEntryInfo {
            key: i.key,
            part_lens: i.part_lens,
            host_name: i.host_name,
            host_version: i.host_version,
            own: i.own,
            // Whole milliseconds, like `last_used_ms`: as a fraction, the time could be rounded up to the
            // next one.
            cached_ms: (i.cached_ns / 1_000_000) as f64,
            expires_ms: i.expires_ms as f64,
            last_used_ms: i.last_used_ms as f64,
            generation: i.generation as f64,
            validator_kind: u32::from(kind),
            validator: bytes.into(),
            racy: i.racy,
        }
    }
}
