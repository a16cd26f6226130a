//! The form of an artifact on disk and over HTTP: its payload, then a 32-byte footer.
//!
//! The footer is BLAKE3 over the payload, keyed with the fingerprint, so that bytes under another
//! fingerprint's name are rejected like damaged ones. It detects damage, not forgery: anyone who knows
//! the fingerprint can compute a footer.

use crate::error::{Error, Result};
use crate::limits::MAX_ARTIFACT_BYTES;
use crate::mapping::Window;
use crate::storage::File;
use std::fmt::Write;
use std::sync::Arc;

/// A digest of everything that an artifact was made from; its key in every pipeline cache.
pub type Fingerprint = [u8; 32];

/// Length of the footer in bytes.
pub const FOOTER_LEN: usize = 32;

/// Bytes read at a time if the payload is only verified.
const CHUNK: usize = 64 << 10;

/// BLAKE3-256 over each part's length, as a little-endian `u64`, and its bytes. The lengths make sure
/// that the same bytes, split into other parts, have another fingerprint.
#[must_use]
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

/// The fingerprint as 64 lower-case hex digits.
#[must_use]
pub fn hex(fingerprint: &Fingerprint) -> String {
    fingerprint.iter().fold(String::with_capacity(68), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The footer of a payload.
#[must_use]
pub fn footer(fingerprint: &Fingerprint, payload: &[u8]) -> [u8; FOOTER_LEN] {
    *blake3::keyed_hash(fingerprint, payload).as_bytes()
}

/// The payload of a payload with its footer, or `None` if the footer does not match.
#[must_use]
pub fn unseal<'a>(fingerprint: &Fingerprint, sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (payload, end) = sealed.split_last_chunk::<FOOTER_LEN>()?;
    (payload.len() as u64 <= MAX_ARTIFACT_BYTES && footer(fingerprint, payload) == *end).then_some(payload)
}

/// Refuses a payload that no reader would accept, or whose file alone would exceed `max_bytes`.
///
/// # Errors
/// `TooLarge`.
pub fn check_size(payload: &[u8], max_bytes: u64) -> Result<()> {
    let size = payload.len() as u64;
    let file_len = size.saturating_add(FOOTER_LEN as u64);
    if size <= MAX_ARTIFACT_BYTES && file_len <= max_bytes {
        return Ok(());
    }
    let limit = MAX_ARTIFACT_BYTES.min(max_bytes.saturating_sub(FOOTER_LEN as u64));
    let remedy = "raise maxBytes if that is lower than 64 MiB, or keep it elsewhere";
    Err(Error::TooLarge { what: "the artifact", size, limit, remedy })
}

/// An artifact's file with a plausible length. The payload is not verified yet.
#[derive(Debug)]
pub struct Artifact {
    file: Arc<dyn File>,
    fingerprint: Fingerprint,
    len: usize,
    footer: [u8; FOOTER_LEN],
}

impl Artifact {
    /// `None` if the file is too short or too long, or cannot be read. Allocates nothing in this case.
    #[must_use]
    pub fn new(file: Arc<dyn File>, fingerprint: &Fingerprint) -> Option<Self> {
        let len = file.identity().ok()?.len.checked_sub(FOOTER_LEN as u64)?;
        if len > MAX_ARTIFACT_BYTES {
            return None;
        }
        let mut footer = [0; FOOTER_LEN];
        if file.read_at(&mut footer, len).ok()? != FOOTER_LEN {
            return None;
        }
        Some(Artifact { file, fingerprint: *fingerprint, len: usize::try_from(len).ok()?, footer })
    }

    /// Length of the payload in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads the payload into memory of its length and verifies it. If this returns false, the contents
    /// of the memory are undefined.
    #[must_use]
    pub fn read(&self, into: &mut [u8]) -> bool {
        into.len() == self.len
            && self.file.read_at(into, 0).is_ok_and(|n| n == self.len)
            && footer(&self.fingerprint, into) == self.footer
    }

    /// A private mapping of the payload, verified. `None` if it cannot be mapped or is damaged.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        if self.is_empty() || !self.file.maps_are_coherent() {
            return None;
        }
        let mut window = self.file.window(0, self.len as u64)?;
        window.peek(|payload| footer(&self.fingerprint, payload) == self.footer).then_some(window)
    }

    /// Whether the payload matches its footer.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut hasher = blake3::Hasher::new_keyed(&self.fingerprint);
        let mut buffer = vec![0; CHUNK.min(self.len)];
        let mut done = 0usize;
        while done < self.len {
            let want = CHUNK.min(self.len.saturating_sub(done));
            let Some(chunk) = buffer.get_mut(..want) else { return false };
            if !self.file.read_at(chunk, done as u64).is_ok_and(|n| n == want) {
                return false;
            }
            hasher.update(chunk);
            done = done.saturating_add(want);
        }
        *hasher.finalize().as_bytes() == self.footer
    }
}
