//! What a handle knows about one shard file: its header, its bytes, its index.
//!
//! Code here only reads the file, except for `blank`. What is known becomes out of date when other handles
//! publish, and `follow` brings it up to date.

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

/// Buffers for positioned reads. They are not used while the file is mapped.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Index slots.
    pub slots: Vec<u8>,
    /// A frame.
    pub frame: Vec<u8>,
    /// Another frame, to compare with.
    pub other: Vec<u8>,
}

/// An open shard file, with its index.
#[derive(Debug)]
pub struct State {
    /// The file's header.
    pub header: Header,
    /// Makes and verifies checksums and digests of its frames.
    pub sealer: Sealer,
    /// The seed of its keys' hashes.
    pub keys: Seed,
    /// Its bytes.
    pub view: View,
    /// The identity of the open file.
    pub identity: Identity,
    /// Index snapshots, newest first.
    pub tables: Vec<Table>,
    /// Entries behind the newest index snapshot.
    pub tail: Tail,
    /// Where the tail begins in the file.
    pub tail_from: u64,
    /// Where the known frames end.
    pub end: u64,
    /// The generation that `end` belongs to.
    pub generation: u64,
    /// The page's epoch in which the frames were read; `None` if no valid page said that they are published.
    pub epoch: Option<u64>,
    /// Live entries.
    pub live_entries: u64,
    /// Bytes of their frames.
    pub live_bytes: u64,
    /// The newest whole root slot.
    pub root: Option<Root>,
    /// Records whose digest was verified.
    verified: Bits,
    /// Records that need nothing more done before use: verified, not racy any more, and noted as used in this epoch.
    ready: Bits,
    /// Whether some deltas were not checked entirely; see `unchecked.rs`.
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

    /// Begins a new epoch of last-use times, in which the next use of each entry is noted once more.
    pub fn new_recency_epoch(&mut self) {
        self.ready.clear();
    }
}
