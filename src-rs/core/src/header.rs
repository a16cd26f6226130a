//! The first 4 KiB of a shard: its identity, and where its newest durable index snapshot lies.
//!
//! `docs/format.md` describes the same layout; the assertions below the structs check its sizes.
//! The identity never changes in the life of a file. The two root slots are written alternately, and
//! only after everything that they name has been synced, so one of them is whole after any power cut.

use crate::clock::now_ms;
use crate::digest::{Digest, checksum};
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::limits::{FORMAT_VERSION, HEADER_LEN, MAX_GENERATION};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first bytes of every shard.
pub const MAGIC: [u8; 8] = *b"WARMSHRD";
/// Reads as another number on a machine of the other byte order.
pub const ENDIAN_MARK: u32 = 0x0102_0304;
/// Offsets of the root slots. Each lies in a disk sector of its own.
pub const ROOT_OFFSETS: [u64; 2] = [512, 1024];

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone)]
#[repr(C)]
struct RawHeader {
    magic: [u8; 8],
    version: U32,
    endian: U32,
    pointer_width: u8,
    digest: u8,
    reserved: [u8; 2],
    header_len: U32,
    shard_id: [u8; 16],
    seed: U64,
    created_ms: U64,
    generation: U64,
    kind: [u8; 16],
    host_name: [u8; 64],
    host_version: [u8; 64],
    key_check: [u8; 32],
    unused: U64,
    checksum: U64,
}

/// The identity of a shard file.
#[derive(Debug, Clone)]
pub struct Header {
    /// What it is used for.
    pub kind: Kind,
    /// Random: tells a replaced file from the one before.
    pub shard_id: [u8; 16],
    /// The seed of every key hash in the file.
    pub seed: u64,
    /// When the file was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The generation at which the file began.
    pub generation: u64,
    /// The digest of its records.
    pub digest: Digest,
}

/// Why a file reads as an empty shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// Shorter than a header.
    Truncated,
    /// It does not begin with the magic bytes of a shard.
    Foreign,
    /// Another version of the format.
    Version(u32),
    /// Made on a machine of the other byte order.
    Endian,
    /// Made by a build of another pointer width.
    PointerWidth(u8),
    /// The header's checksum fails.
    Checksum,
    /// The records carry another digest than the one asked for.
    Digest,
    /// The records were made with another digest key.
    Key,
    /// A file of another kind. `None` if this build does not know the kind.
    Kind(Option<Kind>),
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rejected::Truncated => f.write_str("truncated: shorter than a shard's header"),
            Rejected::Foreign => f.write_str("foreign: not a shard"),
            Rejected::Version(v) => write!(f, "version: format {v}, this build reads {FORMAT_VERSION}"),
            Rejected::Endian => f.write_str("endian: made on a machine of the other byte order"),
            Rejected::PointerWidth(w) => write!(f, "pointer-width: made by a build with {w}-byte pointers"),
            Rejected::Checksum => f.write_str("checksum: the header is damaged"),
            Rejected::Digest => f.write_str("digest: the records carry another digest than asked for"),
            Rejected::Key => f.write_str("key: the records were made with another digest key"),
            Rejected::Kind(Some(kind)) => write!(f, "kind: a file of the kind {:?}", kind.name()),
            Rejected::Kind(None) => f.write_str("kind: a file of a kind that this build does not know"),
        }
    }
}

impl Header {
    /// A header for a new file.
    ///
    /// # Errors
    /// [`Error::Io`] if the system gives no random bytes. Its path is empty; `Error::about` fills it in.
    pub fn new(digest: Digest, generation: u64) -> Result<Self> {
        let mut random = [0u8; 24];
        getrandom::fill(&mut random).map_err(|e| {
            Error::io("getrandom", std::path::Path::new(""), std::io::Error::other(e.to_string()))
        })?;
        let (id, seed) = random.split_at(16);
        Ok(Header {
            kind: Kind::Shard,
            shard_id: id.try_into().unwrap_or_default(),
            seed: u64::from_le_bytes(seed.try_into().unwrap_or_default()),
            created_ms: now_ms(),
            generation,
            digest,
        })
    }

    /// The first [`HEADER_LEN`] bytes of the file, with empty root slots.
    #[must_use]
    pub fn encode(&self, host_name: &str, host_version: &str) -> Vec<u8> {
        let mut raw = RawHeader::new_zeroed_header();
        raw.digest = self.digest.kind();
        raw.kind = self.kind.encode();
        raw.shard_id = self.shard_id;
        raw.seed = self.seed.into();
        raw.created_ms = self.created_ms.into();
        raw.generation = self.generation.into();
        put_text(&mut raw.host_name, host_name);
        put_text(&mut raw.host_version, host_version);
        raw.key_check = self.digest.key_check(&self.shard_id);
        raw.checksum = raw.sum().into();
        let mut block = raw.as_bytes().to_vec();
        block.resize(HEADER_LEN as usize, 0);
        block
    }

    /// Reads a header. `want` is the digest that the caller insists on, if any.
    ///
    /// # Errors
    /// [`Rejected`] says why this file cannot be used.
    pub fn decode(block: &[u8], want: Option<&Digest>) -> std::result::Result<Self, Rejected> {
        let Ok((raw, _)) = RawHeader::ref_from_prefix(block) else {
            return Err(Rejected::Truncated);
        };
        if raw.magic != MAGIC {
            return Err(Rejected::Foreign);
        }
        if raw.endian.get() != ENDIAN_MARK {
            return Err(Rejected::Endian);
        }
        if raw.version.get() != FORMAT_VERSION {
            return Err(Rejected::Version(raw.version.get()));
        }
        if usize::from(raw.pointer_width) != size_of::<usize>() {
            return Err(Rejected::PointerWidth(raw.pointer_width));
        }
        if raw.checksum.get() != raw.sum()
            || u64::from(raw.header_len.get()) != HEADER_LEN
            || raw.generation.get() > MAX_GENERATION
        {
            return Err(Rejected::Checksum);
        }
        if (block.len() as u64) < HEADER_LEN {
            return Err(Rejected::Truncated);
        }
        let Some(kind) = Kind::decode(&raw.kind) else {
            return Err(Rejected::Kind(None));
        };
        let digest = match (raw.digest, want) {
            (0, None | Some(Digest::Xxh3)) => Digest::Xxh3,
            (1, None | Some(Digest::Blake3)) => Digest::Blake3,
            (2, Some(keyed @ Digest::Keyed(_))) => {
                // Constant time, as for every comparison that involves the key.
                if blake3::Hash::from_bytes(keyed.key_check(&raw.shard_id))
                    != blake3::Hash::from_bytes(raw.key_check)
                {
                    return Err(Rejected::Key);
                }
                keyed.clone()
            }
            _ => return Err(Rejected::Digest),
        };
        Ok(Header {
            kind,
            shard_id: raw.shard_id,
            seed: raw.seed.get(),
            created_ms: raw.created_ms.get(),
            generation: raw.generation.get(),
            digest,
        })
    }

    /// The seed of every checksum in the file. It depends on the shard's id, so a frame of another shard fails.
    #[must_use]
    pub fn check_seed(&self) -> u64 {
        checksum(0, &self.shard_id)
    }
}

impl RawHeader {
    fn new_zeroed_header() -> Self {
        RawHeader {
            magic: MAGIC,
            version: FORMAT_VERSION.into(),
            endian: ENDIAN_MARK.into(),
            pointer_width: size_of::<usize>() as u8,
            digest: 0,
            reserved: [0; 2],
            header_len: (HEADER_LEN as u32).into(),
            shard_id: [0; 16],
            seed: 0.into(),
            created_ms: 0.into(),
            generation: 0.into(),
            kind: [0; 16],
            host_name: [0; 64],
            host_version: [0; 64],
            key_check: [0; 32],
            unused: 0.into(),
            checksum: 0.into(),
        }
    }

    fn sum(&self) -> u64 {
        let bytes = self.as_bytes();
        checksum(0, bytes.get(..bytes.len().saturating_sub(8)).unwrap_or_default())
    }
}

fn put_prefix(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Writes one length byte, then the text, cut to 63 bytes.
fn put_text(to: &mut [u8; 64], text: &str) {
    if let Some((len, rest)) = to.split_first_mut() {
        *len = text.len().min(rest.len()) as u8;
        put_prefix(rest, text.as_bytes());
    }
}

/// A root slot as it is stored.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawRoot {
    sequence: U64,
    generation: U64,
    committed: U64,
    snapshot: U64,
    checksum: U64,
}

/// A root slot: what a flush made durable. Everything below `committed` was synced before the slot was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Root {
    /// Rises with each root written. If both slots are whole, the one with the higher number counts.
    pub sequence: u64,
    /// The generation of the last synced frame.
    pub generation: u64,
    /// Where the synced bytes end.
    pub committed: u64,
    /// Where the newest synced index snapshot begins; zero for none.
    pub snapshot: u64,
}

impl Root {
    /// The slot that this root goes into.
    #[must_use]
    pub fn offset(&self) -> u64 {
        let [even, odd] = ROOT_OFFSETS;
        if self.sequence.is_multiple_of(2) { even } else { odd }
    }

    /// The bytes of the slot.
    #[must_use]
    pub fn encode(&self, seed: u64) -> Vec<u8> {
        let mut raw = RawRoot {
            sequence: self.sequence.into(),
            generation: self.generation.into(),
            committed: self.committed.into(),
            snapshot: self.snapshot.into(),
            checksum: 0.into(),
        };
        raw.checksum = raw.sum(seed).into();
        raw.as_bytes().to_vec()
    }

    fn decode(block: &[u8], offset: u64, seed: u64) -> Option<Self> {
        let (raw, _) = RawRoot::ref_from_prefix(block.get(usize::try_from(offset).ok()?..)?).ok()?;
        let sound = raw.checksum.get() == raw.sum(seed)
            && raw.sequence.get() != 0
            && raw.generation.get() <= MAX_GENERATION;
        sound.then(|| Root {
            sequence: raw.sequence.get(),
            generation: raw.generation.get(),
            committed: raw.committed.get(),
            snapshot: raw.snapshot.get(),
        })
    }

    /// The roots of a header block whose checksum agrees, newest first.
    #[must_use]
    pub fn decode_all(block: &[u8], seed: u64) -> Vec<Root> {
        let mut roots: Vec<Root> =
            ROOT_OFFSETS.iter().filter_map(|o| Root::decode(block, *o, seed)).collect();
        roots.sort_by_key(|r| std::cmp::Reverse(r.sequence));
        roots
    }
}

impl RawRoot {
    fn sum(&self, seed: u64) -> u64 {
        let bytes = self.as_bytes();
        checksum(seed, bytes.get(..bytes.len().saturating_sub(8)).unwrap_or_default())
    }
}

const _: () = assert!(size_of::<RawHeader>() == 256);
const _: () = assert!(size_of::<RawRoot>() == 40);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_as_it_was_written() {
        let h = Header::new(Digest::Xxh3, 9).unwrap();
        let block = h.encode("host", "1.0");
        let back = Header::decode(&block, None).unwrap();
        assert_eq!((back.shard_id, back.seed, back.generation), (h.shard_id, h.seed, 9));
    }

    #[test]
    fn any_flipped_byte_of_the_identity_is_noticed() {
        let block = Header::new(Digest::Blake3, 1).unwrap().encode("host", "1.0");
        for i in 0..size_of::<RawHeader>() {
            let mut bad = block.clone();
            bad[i] ^= 0x10;
            assert!(Header::decode(&bad, None).is_err(), "byte {i}");
        }
        for len in 0..block.len() {
            assert!(Header::decode(&block[..len], None).is_err(), "length {len}");
        }
    }

    #[test]
    fn another_key_or_digest_is_refused() {
        let right = Digest::keyed(&[1; 32]).unwrap();
        let wrong = Digest::keyed(&[2; 32]).unwrap();
        let block = Header::new(right.clone(), 0).unwrap().encode("", "");
        assert!(Header::decode(&block, Some(&right)).is_ok());
        assert_eq!(Header::decode(&block, Some(&wrong)).unwrap_err(), Rejected::Key);
        assert_eq!(Header::decode(&block, Some(&Digest::Xxh3)).unwrap_err(), Rejected::Digest);
        assert_eq!(Header::decode(&block, None).unwrap_err(), Rejected::Digest);
    }

    #[test]
    fn the_newest_whole_root_counts() {
        let h = Header::new(Digest::Xxh3, 0).unwrap();
        let seed = h.check_seed();
        let mut block = h.encode("", "");
        for sequence in [1, 2] {
            let root = Root { sequence, committed: 4096 + sequence, ..Root::default() };
            let at = usize::try_from(root.offset()).unwrap();
            let bytes = root.encode(seed);
            block[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        assert_eq!(Root::decode_all(&block, seed)[0].sequence, 2);
        block[512] ^= 1;
        assert_eq!(Root::decode_all(&block, seed)[0].sequence, 1);
    }
}
