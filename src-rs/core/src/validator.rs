//! Validators: what must be equal for an entry to be a hit.
//!
//! A validator is stored as one kind byte and at most 80 bytes. The kind's high bit marks it as
//! *racy*: the source had been modified so shortly before it was cached that it could change again
//! and keep its modification time. A racy validator is followed by a digest of the source's content,
//! which is compared before the entry is first used, as git does with its index
//! (<https://git-scm.com/docs/racy-git>).

use crate::error::{Error, Result};
use crate::limits::MAX_VALIDATOR_BYTES;

/// Set in the kind byte of a racy validator.
pub const RACY: u8 = 0x80;

/// Bytes of the source's content digest behind a racy validator.
pub const SOURCE_DIGEST_LEN: usize = 16;

const MTIME_LEN: usize = 12;
const SIZE_LEN: usize = 8;

/// What the caller stores with an entry, and what it requires of one when it looks it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validator<'a> {
    /// None. In a look-up it matches every stored validator.
    None,
    /// The source's modification time and, if known, its size.
    Mtime {
        /// Whole seconds since the epoch.
        sec: i64,
        /// Nanoseconds of the second.
        nsec: u32,
        /// The source's size in bytes.
        size: Option<u64>,
    },
    /// A digest of the source's content.
    Digest(&'a [u8]),
    /// Bytes whose meaning only the caller knows.
    Opaque(&'a [u8]),
}

/// A validator in its stored form.
#[derive(Debug, Clone, Copy)]
pub struct Stored {
    kind: u8,
    len: u8,
    bytes: [u8; MAX_VALIDATOR_BYTES + SOURCE_DIGEST_LEN],
}

impl Stored {
    /// The stored form of an entry without a validator.
    pub const NONE: Stored = Stored { kind: 0, len: 0, bytes: [0; MAX_VALIDATOR_BYTES + SOURCE_DIGEST_LEN] };

    /// The kind byte.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// The bytes that follow the kind byte.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Marks the validator as racy and appends the source's digest.
    pub fn make_racy(&mut self, source: &[u8; SOURCE_DIGEST_LEN]) {
        let from = usize::from(self.len);
        if let Some(to) = self.bytes.get_mut(from..).and_then(|b| b.get_mut(..SOURCE_DIGEST_LEN)) {
            to.copy_from_slice(source);
            self.kind |= RACY;
            self.len = self.len.saturating_add(SOURCE_DIGEST_LEN as u8);
        }
    }
}

impl Validator<'_> {
    fn kind(&self) -> u8 {
        match self {
            Validator::None => 0,
            Validator::Mtime { size: None, .. } => 1,
            Validator::Mtime { size: Some(_), .. } => 2,
            Validator::Digest(_) => 3,
            Validator::Opaque(_) => 4,
        }
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`Error::InvalidArg`] if a byte string is too long, a digest is empty, or the nanoseconds
    /// are not below one second.
    pub fn encode(&self) -> Result<Stored> {
        let mut out =
            Stored { kind: self.kind(), len: 0, bytes: [0; MAX_VALIDATOR_BYTES + SOURCE_DIGEST_LEN] };
        let mut push = |bytes: &[u8]| {
            let from = usize::from(out.len);
            if let Some(to) = out.bytes.get_mut(from..).and_then(|b| b.get_mut(..bytes.len())) {
                to.copy_from_slice(bytes);
                out.len = out.len.saturating_add(bytes.len() as u8);
            }
        };
        match *self {
            Validator::None => {}
            Validator::Mtime { sec, nsec, size } => {
                if nsec >= 1_000_000_000 {
                    return Err(Error::InvalidArg(format!(
                        "a validator's mtimeNsec must be below 1000000000, not {nsec}"
                    )));
                }
                push(&sec.to_le_bytes());
                push(&nsec.to_le_bytes());
                if let Some(size) = size {
                    push(&size.to_le_bytes());
                }
            }
            Validator::Digest(bytes) | Validator::Opaque(bytes) => {
                if bytes.len() > MAX_VALIDATOR_BYTES {
                    return Err(Error::InvalidArg(format!(
                        "a validator may be {MAX_VALIDATOR_BYTES} bytes long at most, not {}; use a digest of it",
                        bytes.len()
                    )));
                }
                if bytes.is_empty() && matches!(self, Validator::Digest(_)) {
                    return Err(Error::InvalidArg("a validator's digest must not be empty".into()));
                }
                push(bytes);
            }
        }
        Ok(out)
    }

    /// Whether this matches the stored validator with this kind byte and these bytes. Sizes are
    /// compared only if both sides have one.
    #[inline(always)]
    #[must_use]
    pub fn matches(&self, kind: u8, bytes: &[u8]) -> bool {
        if matches!(self, Validator::None) {
            return true;
        }
        let bytes = plain(kind, bytes);
        match (*self, kind & !RACY) {
            (Validator::Mtime { sec, nsec, size }, 1 | 2) => match decode_mtime(bytes) {
                Some((s, n, stored)) => {
                    s == sec && n == nsec && (size.is_none() || stored.is_none() || size == stored)
                }
                None => false,
            },
            (Validator::Digest(want), 3) | (Validator::Opaque(want), 4) => want == bytes,
            _ => false,
        }
    }
}

/// Seconds, nanoseconds and size of a stored modification time.
#[must_use]
pub fn decode_mtime(bytes: &[u8]) -> Option<(i64, u32, Option<u64>)> {
    let (sec, rest) = bytes.split_first_chunk::<8>()?;
    let (nsec, rest) = rest.split_first_chunk::<4>()?;
    let size = rest.first_chunk::<SIZE_LEN>().map(|b| u64::from_le_bytes(*b));
    Some((i64::from_le_bytes(*sec), u32::from_le_bytes(*nsec), size))
}

/// The bytes of a stored validator without the source digest that follows a racy one.
#[must_use]
pub fn plain(kind: u8, bytes: &[u8]) -> &[u8] {
    if kind & RACY == 0 {
        return bytes;
    }
    bytes.get(..bytes.len().saturating_sub(SOURCE_DIGEST_LEN)).unwrap_or_default()
}

/// The source digest of a racy validator.
#[must_use]
pub fn source_digest(kind: u8, bytes: &[u8]) -> Option<&[u8; SOURCE_DIGEST_LEN]> {
    if kind & RACY == 0 {
        return None;
    }
    bytes.last_chunk::<SOURCE_DIGEST_LEN>()
}

/// Reads the stored form back, for `info` and `list`. `None` if the kind is unknown or the length is wrong.
#[must_use]
pub fn decode(kind: u8, bytes: &[u8]) -> Option<Validator<'_>> {
    let bytes = plain(kind, bytes);
    match kind & !RACY {
        0 => Some(Validator::None),
        1 if bytes.len() == MTIME_LEN => {
            decode_mtime(bytes).map(|(sec, nsec, size)| Validator::Mtime { sec, nsec, size })
        }
        2 if bytes.len() == MTIME_LEN + SIZE_LEN => {
            decode_mtime(bytes).map(|(sec, nsec, size)| Validator::Mtime { sec, nsec, size })
        }
        3 => Some(Validator::Digest(bytes)),
        4 => Some(Validator::Opaque(bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MTIME: Validator<'static> = Validator::Mtime { sec: 7, nsec: 9, size: None };
    const SIZED: Validator<'static> = Validator::Mtime { sec: 7, nsec: 9, size: Some(3) };

    #[test]
    fn only_equal_validators_match() {
        let all = [Validator::None, MTIME, SIZED, Validator::Digest(b"x"), Validator::Opaque(b"x")];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                let stored = b.encode().unwrap();
                let both_mtimes = matches!((i, j), (1 | 2, 1 | 2));
                assert_eq!(
                    a.matches(stored.kind(), stored.bytes()),
                    i == 0 || i == j || both_mtimes,
                    "{a:?} {b:?}"
                );
                assert_eq!(decode(stored.kind(), stored.bytes()), Some(*b));
            }
        }
        let other = Validator::Mtime { sec: 7, nsec: 9, size: Some(4) }.encode().unwrap();
        assert!(!SIZED.matches(other.kind(), other.bytes()));
    }

    #[test]
    fn a_racy_validator_still_matches_and_carries_the_source_digest() {
        let mut stored = SIZED.encode().unwrap();
        stored.make_racy(&[5; 16]);
        assert!(SIZED.matches(stored.kind(), stored.bytes()));
        assert_eq!(source_digest(stored.kind(), stored.bytes()), Some(&[5; 16]));
    }

    #[test]
    fn validators_that_are_too_long_or_make_no_sense_are_refused() {
        assert!(Validator::Opaque(&[0; 65]).encode().is_err());
        assert!(Validator::Digest(&[]).encode().is_err());
        assert!(Validator::Mtime { sec: 0, nsec: 1_000_000_000, size: None }.encode().is_err());
    }
}
