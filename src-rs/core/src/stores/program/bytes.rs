//! Parts of entries, in the mapping or copied.

use crate::Shard;
use crate::shard::Pin;
use std::sync::Arc;

/// Bytes of an entry.
#[derive(Debug)]
pub enum Bytes {
    /// In the mapping, which is kept as long as this.
    Pinned(Pin),
    /// A copy, if the shard is not mapped.
    Copied(Vec<u8>),
    /// The text of a source that was read, shared with the queue of what will be recorded.
    Shared(Arc<Vec<u8>>),
}

impl Bytes {
    /// Bytes of the file, pinned if it is mapped, otherwise copied.
    pub(super) fn at(shard: &Shard, offset: u64, len: u32) -> Option<Self> {
        if let Some(pin) = shard.pin(offset, len) {
            return Some(Bytes::Pinned(pin));
        }
        let mut copy = vec![0; usize::try_from(len).ok()?];
        shard.copy(offset, &mut copy).then_some(Bytes::Copied(copy))
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Pinned(pin) => pin.as_slice(),
            Bytes::Copied(bytes) => bytes,
            Bytes::Shared(bytes) => bytes,
        }
    }
}
