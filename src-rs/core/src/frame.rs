//! Frames: what a shard is made of behind its header. `docs/format.md` mirrors this file.
//!
//! A frame head is 80 bytes. Its checksum is seeded with the shard's id and covers the frame's own
//! offset, so that no frame passes in another file or at another place.

use crate::digest::{Digest, Seed, checksum};
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
/// A frame that says that a key is gone.
pub const TOMBSTONE: u8 = 2;
/// A frame that completes a batch.
pub const COMMIT: u8 = 3;
/// A frame that carries an index snapshot.
pub const SNAPSHOT: u8 = 4;

/// Flag of a record or tombstone that counts only once its batch's commit frame follows.
pub const IN_BATCH: u8 = 1;

/// The head of every frame.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct Head {
    /// Checksum of the rest of the head, seeded with the shard's id and the frame's offset.
    pub check: U64,
    /// The generation that published the frame.
    pub generation: U64,
    /// Hash of the stored key. Commit: frames in the batch. Snapshot: checksum of the description of
    /// its table.
    pub key_hash: U64,
    /// Bytes of the frame, head and padding included.
    pub length: U64,
    /// XXH3 digest; zero where a wide one stands behind the record.
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

/// Where the pieces of a record or tombstone lie, from the frame's start.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// End of the key, which begins behind the head.
    pub key_end: usize,
    /// End of the validator, which begins there.
    pub validator_end: usize,
    /// End of the part lengths, four bytes each, which begin there.
    pub lens_end: usize,
}

impl Head {
    /// The head at the front of `bytes`.
    #[inline(always)]
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<&Head> {
        Head::ref_from_prefix(bytes).ok().map(|(head, _)| head)
    }

    /// Where the pieces lie, by the lengths in the head.
    #[inline(always)]
    #[must_use]
    pub fn layout(&self) -> Layout {
        // At most 80 + 65535 + 255 + 4 * 255: no overflow.
        let key_end = HEAD_LEN.saturating_add(usize::from(self.key_len.get()));
        let validator_end = key_end.saturating_add(usize::from(self.validator_len));
        let lens_end = validator_end.saturating_add(usize::from(self.part_count).saturating_mul(4));
        Layout { key_end, validator_end, lens_end }
    }

    /// Whether it is that of a record with one part, without a validator, that never expires.
    #[inline(always)]
    #[must_use]
    pub fn is_plain(&self) -> bool {
        (self.part_count, self.validator_kind, self.validator_len) == (1, 0, 0) && self.expires_ms.get() == 0
    }

    /// Whether the head belongs at `offset` of the file with this seed, and its length is possible.
    #[must_use]
    pub fn is_whole(&self, seed: u64, offset: u64) -> bool {
        self.is_plausible() && self.check.get() == self.compute_check(seed, offset)
    }

    /// Whether the numbers are possible ones: nearly all garbage fails here, before any hashing.
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

/// The parts of a record by offset and length within the file. Stops at the first that does not fit
/// in the frame.
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

/// Where the host's name and version lie within a whole record frame.
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

/// What a record is made of.
#[derive(Debug, Clone, Copy)]
pub struct RecordFields<'a> {
    /// The stored key.
    pub key: &'a [u8],
    /// Its hash.
    pub key_hash: u64,
    /// The producer's number, name and version.
    pub producer: u64,
    /// The host's name.
    pub name: &'a str,
    /// The host's version.
    pub version: &'a str,
    /// Kind of the stored validator.
    pub validator_kind: u8,
    /// Its bytes.
    pub validator: &'a [u8],
    /// The parts.
    pub parts: &'a [&'a [u8]],
    /// Milliseconds since the epoch; zero for never.
    pub expires_ms: u64,
    /// Nanoseconds since the epoch.
    pub cached_ns: u64,
}

/// Seals frames for one file: knows its checksum seed and digest.
#[derive(Debug, Clone)]
pub struct Sealer {
    seed: Seed,
    /// The digest of records.
    pub digest: Digest,
}

impl Sealer {
    /// For a file with this seed (see [`crate::header::Header::check_seed`]) and digest of records.
    #[must_use]
    pub fn new(seed: u64, digest: Digest) -> Self {
        Sealer { seed: Seed::new(seed), digest }
    }

    /// The same, for those who seal so many frames that learning what the processor can do pays.
    #[must_use]
    pub fn of_many(&self) -> Self {
        Sealer { seed: self.seed.of_many(), digest: self.digest.clone() }
    }

    /// The seed of the file's checksums.
    #[inline(always)]
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed.number()
    }

    /// Bytes of a record's frame.
    #[must_use]
    pub fn record_len(&self, r: &RecordFields<'_>) -> u64 {
        let fixed = HEAD_LEN
            .saturating_add(r.key.len())
            .saturating_add(r.validator.len())
            .saturating_add(r.parts.len().saturating_mul(4));
        let mut end = fixed as u64;
        for part in r.parts {
            end = align(end).saturating_add(part.len() as u64);
        }
        let names = r.name.len().saturating_add(r.version.len()).saturating_add(self.digest.trailer_len());
        align(end.saturating_add(names as u64)).max(MIN_FRAME_LEN)
    }

    /// Appends a record's frame, which will stand at `offset`, to `out`.
    pub fn record(&self, out: &mut Vec<u8>, offset: u64, generation: u64, flags: u8, r: &RecordFields<'_>) {
        let from = out.len();
        self.unsealed(RECORD, out, self.record_len(r), generation, flags, r);
        self.seal(out.get_mut(from..).unwrap_or_default(), offset);
    }

    /// Appends the frame, of `record_len` bytes, of a record or tombstone that is yet to be sealed.
    #[inline]
    pub fn unsealed(
        &self,
        kind: u8,
        out: &mut Vec<u8>,
        len: u64,
        generation: u64,
        flags: u8,
        r: &RecordFields<'_>,
    ) {
        let from = out.len();
        self.front(kind, out, len, generation, flags, r);
        for part in r.parts {
            pad(out, from);
            out.extend_from_slice(part);
        }
        self.back(out, from, len, r);
    }

    /// The same for a record of one part, whose bytes are left out. Returns where in `out` they belong.
    pub fn unsealed_around(
        &self,
        out: &mut Vec<u8>,
        len: u64,
        generation: u64,
        flags: u8,
        r: &RecordFields<'_>,
    ) -> usize {
        let from = out.len();
        let left_out = r.parts.iter().map(|part| part.len() as u64).sum();
        let len = len.saturating_sub(left_out);
        self.front(RECORD, out, len.saturating_add(left_out), generation, flags, r);
        pad(out, from);
        let at = out.len();
        self.back(out, from, len, r);
        at
    }

    /// A frame's bytes up to its parts.
    fn front(&self, kind: u8, out: &mut Vec<u8>, len: u64, generation: u64, flags: u8, r: &RecordFields<'_>) {
        let mut head = self.head(kind, flags, generation, len);
        out.reserve(usize::try_from(len).unwrap_or(0));
        head.key_hash = r.key_hash.into();
        head.producer = r.producer.into();
        head.expires_ms = r.expires_ms.into();
        head.cached_ns = r.cached_ns.into();
        // The caller has checked all of these against their limits.
        head.key_len = (r.key.len() as u16).into();
        head.part_count = r.parts.len() as u8;
        head.validator_kind = r.validator_kind;
        head.validator_len = r.validator.len() as u8;
        head.name_len = r.name.len() as u8;
        head.version_len = r.version.len() as u8;
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(r.key);
        out.extend_from_slice(r.validator);
        for part in r.parts {
            out.extend_from_slice(&(part.len() as u32).to_le_bytes());
        }
    }

    /// A frame's bytes behind its parts, up to `len` from where it begins.
    fn back(&self, out: &mut Vec<u8>, from: usize, len: u64, r: &RecordFields<'_>) {
        out.extend_from_slice(r.name.as_bytes());
        out.extend_from_slice(r.version.as_bytes());
        out.resize(from.saturating_add(usize::try_from(len).unwrap_or(0)), 0);
    }

    /// Appends the frame that completes a batch of `frames` frames beginning at `first`.
    pub fn commit(&self, out: &mut Vec<u8>, offset: u64, generation: u64, first: u64, frames: u64) {
        let from = out.len();
        let mut head = self.head(COMMIT, 0, generation, MIN_FRAME_LEN);
        head.key_hash = frames.into();
        head.producer = first.into();
        out.extend_from_slice(head.as_bytes());
        out.resize(from.saturating_add(MIN_FRAME_LEN as usize), 0);
        self.seal(out.get_mut(from..).unwrap_or_default(), offset);
    }

    /// Takes over a record of another file: the same bytes under a head of this one, which is yet to be sealed.
    pub fn adopt(&self, out: &mut Vec<u8>, generation: u64, key_hash: u64, frame: &[u8]) {
        let from = out.len();
        out.extend_from_slice(frame);
        if let Some((head, _)) = out.get_mut(from..).and_then(|b| Head::mut_from_prefix(b).ok()) {
            head.generation = generation.into();
            head.key_hash = key_hash.into();
            head.flags = 0;
        }
    }

    /// Puts digest and checksum on the snapshot frame at `from` of `out`.
    pub fn snapshot(&self, out: &mut [u8], from: usize, offset: u64, generation: u64) {
        let Some(frame) = out.get_mut(from..) else { return };
        let len = frame.len() as u64;
        let sum = self.seed.checksum(frame.get(HEAD_LEN..).unwrap_or_default());
        let mut head = self.head(SNAPSHOT, 0, generation, len);
        head.digest = sum.into();
        head.key_hash = self.table_check(frame).into();
        head.check = head.compute_check(self.seed(), offset).into();
        if let Some(to) = frame.get_mut(..HEAD_LEN) {
            to.copy_from_slice(head.as_bytes());
        }
    }

    /// Checksum of the description of a table, which lies behind the head at the front of `bytes`.
    /// The slots are too many to be checked whenever a shard is opened; what leads to them is not.
    #[must_use]
    pub fn table_check(&self, bytes: &[u8]) -> u64 {
        let to = HEAD_LEN.saturating_add(TABLE_LEN);
        checksum(self.seed(), bytes.get(HEAD_LEN..to).unwrap_or_default())
    }

    fn head(&self, kind: u8, flags: u8, generation: u64, length: u64) -> Head {
        let mut head = Head::new_zeroed();
        head.kind = kind;
        head.flags = flags;
        head.generation = generation.into();
        head.length = length.into();
        head
    }

    /// Puts digest and checksum on a frame that will stand at `offset`.
    #[inline]
    pub fn seal(&self, frame: &mut [u8], offset: u64) {
        let bound_to = frame.len().saturating_sub(self.digest.trailer_len());
        let bound = frame.get(BOUND_FROM..bound_to).unwrap_or_default();
        let (narrow, wide) = self.digest.compute(&self.seed, bound);
        if let (Some(wide), Some(to)) = (wide, frame.get_mut(bound_to..)) {
            to.copy_from_slice(&wide);
        }
        if let Ok((head, _)) = Head::mut_from_prefix(frame) {
            head.digest = narrow.into();
            head.check = head.compute_check(self.seed(), offset).into();
        }
    }

    /// The same for the whole frames at the front of `frames`, one behind the other. Returns their bytes.
    pub fn seal_all(&self, frames: &mut [u8], offset: u64) -> usize {
        let mut sealed = 0usize;
        while let Some(rest) = frames.get_mut(sealed..)
            && let Some(len) = Head::read(rest).and_then(|head| usize::try_from(head.length.get()).ok())
            && let Some(frame) = rest.get_mut(..len)
            && len > 0
        {
            self.seal(frame, offset.saturating_add(sealed as u64));
            sealed = sealed.saturating_add(len);
        }
        sealed
    }

    /// Whether a whole frame, read from `offset`, is exactly what was sealed there.
    #[must_use]
    pub fn verify(&self, frame: &[u8], offset: u64) -> bool {
        let Some(head) = Head::read(frame) else {
            return false;
        };
        if !head.is_whole(self.seed(), offset) || head.length.get() != frame.len() as u64 {
            return false;
        }
        if head.kind == SNAPSHOT {
            return head.digest.get() == self.seed.checksum(frame.get(HEAD_LEN..).unwrap_or_default());
        }
        let bound_to = frame.len().saturating_sub(self.digest.trailer_len());
        let (Some(bound), Some(trailer)) = (frame.get(BOUND_FROM..bound_to), frame.get(bound_to..)) else {
            return false;
        };
        self.digest.agrees(&self.seed, bound, head.digest.get(), trailer)
    }
}

fn pad(out: &mut Vec<u8>, from: usize) {
    let len = align(out.len().saturating_sub(from) as u64);
    out.resize(from.saturating_add(usize::try_from(len).unwrap_or(0)), 0);
}
