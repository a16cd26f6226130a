//! Encoding and sealing of frames, and verifying them.
//!
//! To seal a frame is to set its digest and its checksum, which depend on the offset at which it will be written.

use super::*;
use crate::digest::{Digest, Seed};

/// The content of a record or tombstone.
#[derive(Debug, Clone, Copy)]
pub struct RecordFields<'a> {
    /// The stored key.
    pub key: &'a [u8],
    /// Its hash.
    pub key_hash: u64,
    /// The producer's number.
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

/// Encodes and seals frames for one file, with that file's checksum seed and digest.
#[derive(Debug, Clone)]
pub struct Sealer {
    seed: Seed,
    /// The digest of records.
    pub digest: Digest,
}

impl Sealer {
    /// A sealer for a file with this seed (see [`crate::header::Header::check_seed`]) and this digest of records.
    #[must_use]
    pub fn new(seed: u64, digest: Digest) -> Self {
        Sealer { seed: Seed::new(seed), digest }
    }

    /// The same sealer for sealing very many frames; see [`Seed::of_many`].
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

    /// Appends a record's sealed frame to `out`; it will be written at `offset`.
    pub fn record(&self, out: &mut Vec<u8>, offset: u64, generation: u64, flags: u8, r: &RecordFields<'_>) {
        let from = out.len();
        self.unsealed(RECORD, out, self.record_len(r), generation, flags, r);
        self.seal(out.get_mut(from..).unwrap_or_default(), offset);
    }

    /// Appends the frame of a record or tombstone without sealing it. `len` must be `record_len(r)`.
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

    /// The same for a record of one part, but leaves out the part's bytes. Returns where in `out` they must be inserted.
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
        self.front(RECORD, out, len, generation, flags, r);
        pad(out, from);
        let at = out.len();
        self.back(out, from, len.saturating_sub(left_out), r);
        at
    }

    /// Appends a frame's bytes in front of its parts.
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

    /// Appends a frame's bytes behind its parts: the names, then zeros until `len` bytes follow `from`.
    fn back(&self, out: &mut Vec<u8>, from: usize, len: u64, r: &RecordFields<'_>) {
        out.extend_from_slice(r.name.as_bytes());
        out.extend_from_slice(r.version.as_bytes());
        out.resize(from.saturating_add(usize::try_from(len).unwrap_or(0)), 0);
    }

    /// Appends the sealed commit frame of a batch of `frames` frames, the first of which is at offset `first`.
    pub fn commit(&self, out: &mut Vec<u8>, offset: u64, generation: u64, first: u64, frames: u64) {
        let from = out.len();
        let mut head = self.head(COMMIT, 0, generation, MIN_FRAME_LEN);
        head.key_hash = frames.into();
        head.producer = first.into();
        out.extend_from_slice(head.as_bytes());
        out.resize(from.saturating_add(MIN_FRAME_LEN as usize), 0);
        self.seal(out.get_mut(from..).unwrap_or_default(), offset);
    }

    /// Appends a frame of another file without sealing it: the same bytes, but with this generation and key hash, and
    /// without the batch flag.
    pub fn adopt(&self, out: &mut Vec<u8>, generation: u64, key_hash: u64, frame: &[u8]) {
        let from = out.len();
        out.extend_from_slice(frame);
        if let Some((head, _)) = out.get_mut(from..).and_then(|b| Head::mut_from_prefix(b).ok()) {
            head.generation = generation.into();
            head.key_hash = key_hash.into();
            head.flags = 0;
        }
    }

    /// Writes the head of the snapshot frame that begins at `from` in `out`, with its digest and checksum.
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

    /// Checksum of a table's description. `bytes` is a snapshot frame, or at least its head and the
    /// description. The slots are too many to be checked whenever a shard is opened; the description is not.
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

    /// Seals a frame that will be written at `offset`.
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

    /// Seals the consecutive whole frames at the front of `frames`, the first of which will be written at `offset`.
    /// Returns how many bytes they have together.
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

    /// Whether a whole frame, read from `offset`, is exactly the frame that was sealed for that offset.
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
