//! Frames: the units of a shard behind its header. `docs/format.md` describes the same layout.
//!
//! A frame head is 80 bytes. The seed of its checksum is made of the shard's id and the frame's
//! offset, so a frame that was copied to another file or another place is not valid there.

mod sealer;

pub use sealer::{RecordFields, Sealer};

use crate::digest::checksum;
use crate::limits::{ALIGN, MAX_FILE_LEN, MAX_GENERATION, MAX_RECORD_LEN, MIN_FRAME_LEN};
use zerocopy::little_endian::{U16, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a frame head.
pub const HEAD_LEN: usize = 80;

/// Bytes behind the head of a snapshot frame that describe its table.
pub const TABLE_LEN: usize = 64;

/// Where the bytes that a record's digest covers begin.
pub const BOUND_FROM: usize = 48;

/// A frame that carries an entry.
pub const RECORD: u8 = 1;
/// A frame that says that a key was deleted.
pub const TOMBSTONE: u8 = 2;
/// A frame that completes a batch.
pub const COMMIT: u8 = 3;
/// A frame that carries an index snapshot.
pub const SNAPSHOT: u8 = 4;

/// Flag of a record or tombstone that counts only if the commit frame of its batch follows.
pub const IN_BATCH: u8 = 1;

/// The head of every frame.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct Head {
    /// Checksum of the rest of the head, seeded with the shard's id and the frame's offset.
    pub check: U64,
    /// The generation that published the frame.
    pub generation: U64,
    /// Hash of the stored key. Commit: number of frames in the batch. Snapshot: checksum of the table's
    /// description behind the head.
    pub key_hash: U64,
    /// Bytes of the frame, head and padding included.
    pub length: U64,
    /// XXH3 digest; zero if a BLAKE3 digest is at the frame's end instead.
    pub digest: U64,
    /// `RECORD`, `TOMBSTONE`, `COMMIT` or `SNAPSHOT`.
    pub kind: u8,
    /// `IN_BATCH` or nothing.
    pub flags: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// The producer's number. Commit: offset of the batch's first frame.
    pub producer: U64,
    /// Milliseconds since the epoch; zero for never.
    pub expires_ms: U64,
    /// Nanoseconds since the epoch.
    pub cached_ns: U64,
    /// Bytes of the stored key.
    pub key_len: U16,
    /// Parts of the entry.
    pub part_count: u8,
    /// Kind of the validator.
    pub validator_kind: u8,
    /// Bytes of the validator.
    pub validator_len: u8,
    /// Bytes of the host's name, behind the last part.
    pub name_len: u8,
    /// Bytes of the host's version, behind its name.
    pub version_len: u8,
    /// Zero.
    pub reserved2: u8,
}

const _: () = assert!(size_of::<Head>() == HEAD_LEN);
const _: () = assert!(std::mem::offset_of!(Head, producer) == BOUND_FROM);

/// Rounds up to the frame alignment.
#[must_use]
pub fn align(n: u64) -> u64 {
    n.saturating_add(ALIGN - 1) & !(ALIGN - 1)
}

/// Where the fields of a record or tombstone end, counted from the frame's start.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// End of the key, which begins behind the head.
    pub key_end: usize,
    /// End of the validator, which begins at `key_end`.
    pub validator_end: usize,
    /// End of the part lengths, four bytes each, which begin at `validator_end`.
    pub lens_end: usize,
}

impl Head {
    /// The head at the front of `bytes`.
    #[inline(always)]
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<&Head> {
        Head::ref_from_prefix(bytes).ok().map(|(head, _)| head)
    }

    /// Where the fields lie, according to the lengths in the head.
    #[inline(always)]
    #[must_use]
    pub fn layout(&self) -> Layout {
        // At most 80 + 65535 + 255 + 4 * 255: no overflow.
        let key_end = HEAD_LEN.saturating_add(usize::from(self.key_len.get()));
        let validator_end = key_end.saturating_add(usize::from(self.validator_len));
        let lens_end = validator_end.saturating_add(usize::from(self.part_count).saturating_mul(4));
        Layout { key_end, validator_end, lens_end }
    }

    /// Whether this head describes a frame with a key of this length, one part, no validator and no expiry.
    #[inline(always)]
    #[must_use]
    pub fn is_plain(&self, key_len: u16) -> bool {
        let [low, high] = key_len.to_le_bytes();
        // Arrays of four bytes, which compile to one comparison of two numbers.
        let shape = [self.key_len.to_bytes(), [self.part_count, self.validator_kind]];
        shape == [[low, high], [1, 0]] && self.validator_len == 0 && self.expires_ms.get() == 0
    }

    /// Whether this is an undamaged head of a frame at `offset` of the file with this seed, with a possible length.
    #[must_use]
    pub fn is_whole(&self, seed: u64, offset: u64) -> bool {
        self.is_plausible() && self.check.get() == self.compute_check(seed, offset)
    }

    /// Whether the numbers are possible. Nearly all garbage fails here, before anything is hashed.
    fn is_plausible(&self) -> bool {
        let longest = match self.kind {
            RECORD..=COMMIT => MAX_RECORD_LEN,
            SNAPSHOT => MAX_FILE_LEN,
            _ => return false,
        };
        let length = self.length.get();
        (MIN_FRAME_LEN..=longest).contains(&length)
            && length.is_multiple_of(ALIGN)
            && self.generation.get() <= MAX_GENERATION
    }

    fn compute_check(&self, seed: u64, offset: u64) -> u64 {
        checksum(seed.wrapping_add(offset), self.as_bytes().get(8..).unwrap_or_default())
    }
}

/// Offset in the file and length of each part of the record at offset `frame`. Stops at the first part
/// that does not fit into the frame.
pub fn parts<'a>(head: &'a Head, lens: &'a [u8], frame: u64) -> impl Iterator<Item = (u64, u32)> + 'a {
    let end = frame.saturating_add(head.length.get());
    let mut at = align(frame.saturating_add(head.layout().lens_end as u64));
    lens.chunks_exact(4).map_while(move |len| {
        let len = u32::from_le_bytes(len.try_into().ok()?);
        let from = at;
        let to = from.checked_add(u64::from(len))?;
        if to > end {
            return None;
        }
        at = align(to);
        Some((from, len))
    })
}

/// The host's name and version in a whole record frame.
#[must_use]
pub fn host<'a>(head: &Head, frame: &'a [u8]) -> Option<(&'a str, &'a str)> {
    let layout = head.layout();
    let lens = frame.get(layout.validator_end..layout.lens_end)?;
    let end = parts(head, lens, 0)
        .last()
        .map_or(layout.lens_end as u64, |(at, len)| at.saturating_add(u64::from(len)));
    let from = usize::try_from(end).ok()?;
    let middle = from.checked_add(usize::from(head.name_len))?;
    let to = middle.checked_add(usize::from(head.version_len))?;
    Some((
        std::str::from_utf8(frame.get(from..middle)?).ok()?,
        std::str::from_utf8(frame.get(middle..to)?).ok()?,
    ))
}
