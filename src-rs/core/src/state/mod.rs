//! What a handle knows of one shard file: its header, its bytes, its index.
//!
//! Everything here reads. It becomes stale when others publish, and catches up by `advance`.

mod ahead;
pub mod bits;
mod find;
mod load;
mod lookup;
mod quick;
pub mod scan;
mod unchecked;
pub mod view;

pub use ahead::{AHEAD, Ahead};
pub use find::Found;
pub use load::Loading;
pub use lookup::{Hit, Lookup, Want, is_racy, source_digest_of};
pub use quick::Quick;

use crate::digest::Seed;
use crate::frame::Sealer;
use crate::header::{Header, Root};
use crate::index::snapshot::Table;
use crate::index::tail::Tail;
use crate::storage::Identity;
use bits::Bits;
use view::View;

/// Buffers for positioned reads; untouched where the file is mapped.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Index slots.
    pub slots: Vec<u8>,
    /// A frame.
    pub frame: Vec<u8>,
    /// Another frame, to compare with.
    pub other: Vec<u8>,
}

/// A shard file, opened and understood.
#[derive(Debug)]
pub struct State {
    /// Who it is.
    pub header: Header,
    /// Checksums and digests of its frames.
    pub sealer: Sealer,
    /// The seed of its keys' hashes.
    pub keys: Seed,
    /// Its bytes.
    pub view: View,
    /// The file behind them.
    pub identity: Identity,
    /// Index snapshots, newest first.
    pub tables: Vec<Table>,
    /// Entries behind the newest of them.
    pub tail: Tail,
    /// Where the tail begins.
    pub tail_from: u64,
    /// Where the frames end that we know of.
    pub end: u64,
    /// The generation they end with.
    pub generation: u64,
    /// The page's epoch at which the frames were read; none where no page vouched for them.
    pub epoch: Option<u64>,
    /// Live entries.
    pub live_entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
    /// The newest whole root slot.
    pub root: Option<Root>,
    verified: Bits,
    ready: Bits,
    unchecked: bool,
}

impl State {
    /// Offset of the newest index snapshot; zero for none.
    #[must_use]
    pub fn snapshot(&self) -> u64 {
        self.tables.first().map_or(0, |t| t.frame)
    }

    /// Bytes of the index snapshots in use.
    #[must_use]
    pub fn index_bytes(&self) -> u64 {
        self.tables.iter().fold(0, |sum, t| sum.saturating_add(t.frame_len))
    }

    /// Bytes that compaction would free.
    #[must_use]
    pub fn dead_bytes(&self) -> u64 {
        self.end
            .saturating_sub(crate::limits::HEADER_LEN)
            .saturating_sub(self.live_bytes)
            .saturating_sub(self.index_bytes())
    }

    /// A new epoch of last-use times: every entry may note its use once more.
    pub fn new_recency_epoch(&mut self) {
        self.ready.clear();
    }
}
