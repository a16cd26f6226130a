//! Making frames, and proving them by their digests.

use super::*;
use crate::digest::{Digest, Seed};

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
        self.front(RECORD, out, len, generation, flags, r);
        pad(out, from);
        let at = out.len();
        self.back(out, from, len.saturating_sub(left_out), r);
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
