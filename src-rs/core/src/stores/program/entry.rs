//! The parts of an entry, where they lie.

use super::module::PARTS;
use crate::shard::Pin;
use crate::{Hit, Shard};

/// Bytes of an entry.
#[derive(Debug)]
pub enum Bytes {
    /// In the mapping, which lives as long as this.
    Pinned(Pin),
    /// A copy, where there is no mapping.
    Copied(Vec<u8>),
}

/// `meta`, `text`, `code` and `map`.
pub fn entry_of(shard: &mut Shard, hit: &Hit) -> Option<[Bytes; PARTS]> {
    let parts: [(u64, u32); PARTS] = shard.parts(hit).try_into().ok()?;
    let [meta, text, code, map] = parts.map(|(offset, len)| bytes_at(shard, offset, len));
    Some([meta?, text?, code?, map?])
}

/// Bytes of the file, pinned where it is mapped.
pub fn bytes_at(shard: &Shard, offset: u64, len: u32) -> Option<Bytes> {
    if let Some(pin) = shard.pin(offset, len) {
        return Some(Bytes::Pinned(pin));
    }
    let mut copy = vec![0; usize::try_from(len).ok()?];
    shard.copy(offset, &mut copy).then_some(Bytes::Copied(copy))
}

impl Bytes {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Pinned(pin) => pin.as_slice(),
            Bytes::Copied(bytes) => bytes,
        }
    }
}
