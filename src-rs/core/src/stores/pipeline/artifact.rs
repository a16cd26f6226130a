//! The form in which an artifact lies on disk and travels: its payload, then a 32-byte footer.
//!
//! The footer is BLAKE3 over the payload, keyed with the fingerprint: bytes that lie under another
//! fingerprint's name are as wrong as damaged ones. It finds damage, not forgery: who knows the
//! fingerprint can make one.

use crate::error::{Error, Result};
use crate::limits::MAX_ARTIFACT_BYTES;
use crate::mapping::Window;
use crate::storage::File;
use std::fmt::Write;
use std::sync::Arc;

/// What an artifact was made from, as a digest: its name in every store.
pub type Fingerprint = [u8; 32];

/// Bytes of the footer.
pub const FOOTER_LEN: usize = 32;

/// Bytes read at a time where nobody wants to keep them.
const CHUNK: usize = 64 << 10;

/// BLAKE3-256 over each part's length, as a little-endian `u64`, and its bytes. So parts that are
/// split otherwise make another fingerprint.
#[must_use]
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

/// 64 hex digits.
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

/// The payload of sealed bytes, or `None` where they are not what was sealed under this fingerprint.
#[must_use]
pub fn unseal<'a>(fingerprint: &Fingerprint, sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (payload, end) = sealed.split_last_chunk::<FOOTER_LEN>()?;
    (payload.len() as u64 <= MAX_ARTIFACT_BYTES && footer(fingerprint, payload) == *end).then_some(payload)
}

/// Refuses a payload that no reader would accept, or whose file alone would have more than `max_bytes`.
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

/// An artifact's file, of a plausible length. Nothing of it is verified yet.
#[derive(Debug)]
pub struct Artifact {
    file: Arc<dyn File>,
    fingerprint: Fingerprint,
    len: usize,
    footer: [u8; FOOTER_LEN],
}

impl Artifact {
    /// `None` where the file is too short or too long to be one, or cannot be read. Nothing was
    /// allocated then.
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

    /// Bytes of the payload.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads the payload into memory of its length. False where it is not what was stored; the
    /// memory's contents mean nothing then.
    #[must_use]
    pub fn read(&self, into: &mut [u8]) -> bool {
        into.len() == self.len
            && self.file.read_at(into, 0).is_ok_and(|n| n == self.len)
            && footer(&self.fingerprint, into) == self.footer
    }

    /// A private mapping of the payload, verified. `None` where there can be none, or where it is not
    /// what was stored.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        if self.is_empty() || !self.file.maps_are_coherent() {
            return None;
        }
        let mut window = self.file.window(0, self.len as u64)?;
        window.peek(|payload| footer(&self.fingerprint, payload) == self.footer).then_some(window)
    }

    /// Whether the payload is what was stored.
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
