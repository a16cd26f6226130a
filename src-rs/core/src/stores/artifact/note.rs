//! The note on the state of the folder: in which boot payloads and rows were compared, and with which index.
//! If it does not fit, the next open compares them again.
//!
//! After a reboot, because a power cut may have destroyed a marker of unfinished work and left its payload. If
//! the index is shorter, because rows are lost. If it is another index, because its rows are of other files.

use super::ArtifactStore;
use crate::error::Result;
use crate::storage::{Open, Storage};
use std::path::Path;
use std::sync::Arc;

const NAME: &str = "state";
const LEN: usize = 40;

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Note {
    /// Identity of the boot.
    pub boot: u64,
    /// The shard id of the index; zeros if there was none.
    pub index: [u8; 16],
    /// Length of the index in bytes.
    pub end: u64,
    /// When a comparison could not be finished because others were at work, in milliseconds since the epoch;
    /// zero if it was finished.
    pub unfinished_ms: u64,
}

impl Note {
    fn encode(&self) -> Vec<u8> {
        let (boot, end) = (self.boot.to_le_bytes(), self.end.to_le_bytes());
        [&boot[..], &self.index, &end, &self.unfinished_ms.to_le_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (boot, rest) = bytes.split_first_chunk::<8>()?;
        let (index, rest) = rest.split_first_chunk::<16>()?;
        let (end, rest) = rest.split_first_chunk::<8>()?;
        let unfinished_ms = u64::from_le_bytes(*rest.first_chunk::<8>()?);
        Some(Note {
            boot: u64::from_le_bytes(*boot),
            index: *index,
            end: u64::from_le_bytes(*end),
            unfinished_ms,
        })
    }

    /// Reads the note, if there is a complete one.
    pub fn read(storage: &Arc<dyn Storage>, temporary: &Path) -> Option<Self> {
        let mut bytes = [0; LEN];
        let file = storage.open(&temporary.join(NAME), Open::Read).ok()??;
        let read = file.read_at(&mut bytes, 0).ok()?;
        Note::decode(bytes.get(..read)?)
    }

    fn write(&self, storage: &Arc<dyn Storage>, temporary: &Path) -> Result<()> {
        storage.create_dirs(temporary)?;
        match storage.open(&temporary.join(NAME), Open::Create)? {
            Some(file) => file.write_at(&self.encode(), 0),
            None => Ok(()),
        }
    }
}

impl ArtifactStore {
    /// Writes a note of the index's present state, if payloads and rows have been compared. Best effort: a
    /// note that does not fit costs a comparison.
    pub(super) fn write_note(&mut self) {
        let Some(before) = self.note.filter(|_| !self.options.index.read_only) else { return };
        let now = self.note_of_now();
        if now != before && now.end > 0 && now.write(&self.storage, &self.temporary).is_ok() {
            self.note = Some(now);
        }
    }

    /// What a note would say now.
    pub(super) fn note_of_now(&mut self) -> Note {
        let (index, end) = self.index.as_mut().and_then(|index| index.file_state()).unwrap_or_default();
        let unfinished_ms = self.note.map_or(0, |note| note.unfinished_ms);
        Note { boot: self.storage.boot_id(), index, end, unfinished_ms }
    }
}
