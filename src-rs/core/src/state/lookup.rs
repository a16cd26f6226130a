//! The full way of a look-up: from a key to bytes that may be returned.

use super::{Found, Scratch, State};
use crate::clock::now_ms;
use crate::frame::{HEAD_LEN, Head, RECORD, align, parts};
use crate::key::Root;
use crate::limits::{MAX_PARTS, MAX_RACY_SOURCE_BYTES, RACY_NS};
use crate::sidecar::Sidecar;
use crate::storage::disk::open_regular;
use crate::validator::{RACY, SOURCE_DIGEST_LEN, Validator, decode_mtime, plain, source_digest};
use xxhash_rust::xxh3::Xxh3;

/// What a look-up searches for, and how it verifies what it finds.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// The stored key.
    pub key: &'a [u8],
    /// Its hash.
    pub hash: u64,
    /// The caller's producer.
    pub producer: u64,
    /// The caller's validator.
    pub validator: &'a Validator<'a>,
    /// Whether digests are verified on every use.
    pub verify_always: bool,
    /// The folder that relative keys are relative to.
    pub root: Option<&'a Root>,
}

/// A usable entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Offset of its frame.
    pub frame: u64,
    /// Offset of its first part.
    pub offset: u64,
    /// Bytes of its first part.
    pub len: u32,
    /// How many parts it has.
    pub part_count: u8,
}

/// The answer to a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// Usable.
    Hit(Hit),
    /// Absent, deleted or expired.
    Miss,
    /// Present, but validator or producer differs.
    Stale,
    /// Present, but its digest fails.
    Corrupt,
}

/// The result of the checks before a record's first use.
enum FirstUse {
    Good,
    /// Its digest fails.
    Bad,
    /// Its source has changed.
    Changed,
}

impl State {
    /// Looks a key up. A use is noted in the recency table of `sidecar`.
    #[inline(always)]
    pub fn lookup(&mut self, want: &Want<'_>, sidecar: Option<&Sidecar>, scratch: &mut Scratch) -> Lookup {
        let frame = match self.find(want.key, want.hash, want.producer, scratch) {
            Found::Record(frame) => frame,
            Found::Gone | Found::Absent => return Lookup::Miss,
            Found::OtherProducer => return Lookup::Stale,
            Found::Damaged => return Lookup::Corrupt,
        };
        // Only the second half of the head, next to the key, is read here: the first half is usually in
        // another cache line.
        let Some(head) = self.view.get(frame, HEAD_LEN, &mut scratch.frame).and_then(Head::read) else {
            return Lookup::Corrupt;
        };
        let (layout, kind, expires, part_count) =
            (head.layout(), head.validator_kind, head.expires_ms.get(), head.part_count);
        let Some(bytes) = self.view.get(frame, layout.lens_end, &mut scratch.frame) else {
            return Lookup::Corrupt;
        };
        let (Some(validator), Some(lens)) =
            (bytes.get(layout.key_end..layout.validator_end), bytes.get(layout.validator_end..))
        else {
            return Lookup::Corrupt;
        };
        if !want.validator.matches(kind, validator) {
            return self.stale(frame, want, scratch);
        }
        if expires != 0 && expires <= now_ms() {
            return Lookup::Miss;
        }
        let Some(len) = lens.first_chunk::<4>().map(|len| u32::from_le_bytes(*len)) else {
            return Lookup::Corrupt;
        };
        let offset = align(frame.saturating_add(layout.lens_end as u64));
        if !self.view.contains(offset, u64::from(len)) {
            return Lookup::Corrupt;
        }
        if !self.ready.contains(frame) {
            match self.first_use(frame, want, sidecar, scratch) {
                FirstUse::Good => {}
                FirstUse::Bad => return Lookup::Corrupt,
                FirstUse::Changed => return Lookup::Stale,
            }
        }
        Lookup::Hit(Hit { frame, offset, len, part_count })
    }

    /// The answer for an entry whose validator differs: stale if the record's digest agrees, otherwise
    /// corrupt.
    #[cold]
    fn stale(&mut self, frame: u64, want: &Want<'_>, scratch: &mut Scratch) -> Lookup {
        match self.sound_head(frame, want, scratch) {
            Some(_) => Lookup::Stale,
            None => Lookup::Corrupt,
        }
    }

    /// The head of a record whose digest agrees: verified now, or earlier in this process.
    fn sound_head(&mut self, frame: u64, want: &Want<'_>, scratch: &mut Scratch) -> Option<Head> {
        let head = self.head_at(frame, scratch)?;
        if want.verify_always || !self.verified.contains(frame) {
            if !self.is_sound(frame, &head, scratch) {
                return None;
            }
            self.verified.insert(frame);
        }
        Some(head)
    }

    #[cold]
    fn first_use(
        &mut self,
        frame: u64,
        want: &Want<'_>,
        sidecar: Option<&Sidecar>,
        scratch: &mut Scratch,
    ) -> FirstUse {
        let Some(head) = self.sound_head(frame, want, scratch) else { return FirstUse::Bad };
        let mut settled = true;
        if head.validator_kind & RACY != 0 {
            let layout = head.layout();
            let bytes = self.view.get(frame, layout.lens_end, &mut scratch.frame).unwrap_or_default();
            let validator = bytes.get(layout.key_end..layout.validator_end).unwrap_or_default();
            match racy_source(want, head.validator_kind, validator) {
                Some(s) => settled = s,
                None => return FirstUse::Changed,
            }
        }
        if let Some(sidecar) = sidecar {
            sidecar.touch(want.hash, now_ms());
        }
        if settled && !want.verify_always {
            self.ready.insert(frame);
        }
        FirstUse::Good
    }

    /// Whether the frame is a record and exactly what was sealed at this offset.
    pub fn is_sound(&self, frame: u64, head: &Head, scratch: &mut Scratch) -> bool {
        let Ok(len) = usize::try_from(head.length.get()) else {
            return false;
        };
        head.kind == RECORD
            && self.view.get(frame, len, &mut scratch.frame).is_some_and(|f| self.sealer.verify(f, frame))
    }

    /// Marks a record that this process has just written as verified.
    pub fn trust_own(&mut self, frame: u64) {
        self.verified.insert(frame);
    }

    /// Writes offset and length of each part of a hit to `out`. Returns the number of parts.
    pub fn parts_of(&self, hit: &Hit, out: &mut [(u64, u32); MAX_PARTS], scratch: &mut Scratch) -> usize {
        let Some(head) = self.view.get(hit.frame, HEAD_LEN, &mut scratch.frame).and_then(Head::read) else {
            return 0;
        };
        let head = *head;
        let layout = head.layout();
        let Some(bytes) = self.view.get(hit.frame, layout.lens_end, &mut scratch.frame) else {
            return 0;
        };
        let lens = bytes.get(layout.validator_end..).unwrap_or_default();
        let mut count = 0usize;
        for (to, part) in out.iter_mut().zip(parts(&head, lens, hit.frame)) {
            *to = part;
            count = count.saturating_add(1);
        }
        count
    }
}

/// Compares a racy entry's source with the digest that was taken when it was cached. `None` if the source
/// has changed or cannot be read; `Some(false)` if it is the same, but still so new that it could change
/// again and keep its modification time.
fn racy_source(want: &Want<'_>, kind: u8, validator: &[u8]) -> Option<bool> {
    let stored = source_digest(kind, validator)?;
    let path = crate::key::shown(want.key, want.root)?;
    let now = source_digest_of(std::path::Path::new(&path))?;
    if now != *stored {
        return None;
    }
    let settled = match decode_mtime(plain(kind, validator)) {
        Some((sec, nsec, _)) => !is_racy(sec, nsec, crate::clock::now_ns()),
        None => true,
    };
    Some(settled)
}

/// Whether a source with this modification time may still change and keep it.
#[must_use]
pub fn is_racy(sec: i64, nsec: u32, now_ns: u64) -> bool {
    let mtime = i128::from(sec).saturating_mul(1_000_000_000).saturating_add(i128::from(nsec));
    mtime.saturating_add(i128::from(RACY_NS)) > i128::from(now_ns)
}

/// The content digest of a source. `None` if it is not a regular file, cannot be read, or is longer than
/// [`MAX_RACY_SOURCE_BYTES`].
#[must_use]
pub fn source_digest_of(path: &std::path::Path) -> Option<[u8; SOURCE_DIGEST_LEN]> {
    use std::io::Read;
    let file = std::fs::File::from(open_regular(path)?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut file = file.take(MAX_RACY_SOURCE_BYTES.saturating_add(1));
    let mut hasher = Xxh3::new();
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(hasher.digest128().to_le_bytes()),
            Ok(n) => {
                total = total.saturating_add(n as u64);
                if total > MAX_RACY_SOURCE_BYTES {
                    return None;
                }
                hasher.update(buffer.get(..n)?);
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
