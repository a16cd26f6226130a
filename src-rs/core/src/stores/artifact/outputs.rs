//! Outputs: written to their files at once, read when asked for, verified before they are returned.

use super::intent::Intent;
use super::names::{self, Part};
use super::payload::{Output, Outputs, Payload, row_block};
use super::row::check_outputs;
use super::{ArtifactStore, Change, Meta, PayloadInfo, Row};
use crate::error::{Error, Result};
use crate::limits::{MAP_BLOB_BYTES, MAX_ENTRY_BYTES, MAX_OUTPUTS};
use crate::mapping::Window;

/// A part of a file, handed out.
#[derive(Debug)]
pub enum Content {
    /// A copy.
    Bytes(Vec<u8>),
    /// A private mapping in which the bytes lie from `from` to the end.
    Window {
        /// The mapping.
        window: Window,
        /// Where the bytes begin in it.
        from: usize,
    },
}

/// A window of a file begins at a multiple of this many bytes, a multiple of every page size.
const WINDOW_ALIGN: u64 = 64 << 10;

impl ArtifactStore {
    /// Writes the outputs of a key, each to a file of its own or all to one, in place of those that were
    /// there. Metadata that the key has stays, and is written along.
    ///
    /// # Errors
    /// `InvalidKey`, `TooLarge`, `ReadOnly`, `Io`, `NoSpace`; what was there may be gone then.
    pub fn put_outputs(&mut self, key: &str, outputs: &[&[u8]], pack: bool) -> Result<()> {
        self.require_writable()?;
        names::check(key)?;
        check_outputs(outputs.len())?;
        let largest = outputs.iter().map(|o| o.len() as u64).max().unwrap_or(0);
        if largest > MAX_ENTRY_BYTES {
            return Err(Error::TooLarge {
                what: "the output",
                size: largest,
                limit: MAX_ENTRY_BYTES,
                remedy: "split it",
            });
        }
        self.load()?;
        let Some(producer) = self.producer() else { return Ok(()) };
        let before = self.row(key)?;
        let meta = before.as_ref().and_then(|row| row.meta.clone());
        let digested = Outputs::new(outputs);
        // Nothing to put into files of their own still needs a place for the metadata.
        let packed = pack || outputs.is_empty();
        let info = PayloadInfo {
            set: digested.set,
            packed,
            count: u32::try_from(outputs.len()).unwrap_or(u32::MAX),
            bytes: digested.bytes(),
        };
        if self.intent.is_none() {
            self.intent = Some(Intent::declare(&self.storage, &self.temporary)?);
        }
        self.write_files(key, producer, &digested, &info, meta.as_ref())?;
        let row = Row { meta, payload: Some(info) };
        let described = row.meta.is_some();
        self.unmeasured = self.unmeasured.saturating_add(if described { 0 } else { info.bytes });
        self.change(key, Change::Row { row, described })?;
        self.remove_other_files(&names::stem(key), &info, before.and_then(|row| row.payload))
    }

    fn write_files(
        &self,
        key: &str,
        producer: u64,
        outputs: &Outputs<'_>,
        info: &PayloadInfo,
        meta: Option<&Meta>,
    ) -> Result<()> {
        let stem = names::stem(key);
        let block = meta.map(|meta| row_block(key, &meta.encode())).unwrap_or_default();
        let mut prepared = Vec::new();
        for part in parts(info) {
            let draft = outputs.file(key, producer, part);
            let main = matches!(part, Part::Pack | Part::Output(0));
            let block: &[u8] = if main { &block } else { &[] };
            prepared.push(self.folder.prepare(&names::file(&stem, part), &draft.chunks(block))?);
        }
        prepared.into_iter().try_for_each(|file| self.folder.publish(file))
    }

    /// Unlinks the files of an earlier put that the new one has not replaced.
    fn remove_other_files(&self, stem: &str, now: &PayloadInfo, before: Option<PayloadInfo>) -> Result<()> {
        let first_stale = if now.packed { 0 } else { now.count };
        match before {
            Some(before) if before.packed == now.packed && (now.packed || before.count <= now.count) => {
                Ok(())
            }
            Some(PayloadInfo { packed: true, .. }) => {
                self.folder.remove(&names::file(stem, Part::Pack)).map(drop)
            }
            Some(before) => (first_stale..before.count.min(MAX_OUTPUTS as u32))
                .try_for_each(|i| self.folder.remove(&names::file(stem, Part::Output(i))).map(drop)),
            None => {
                if !now.packed {
                    self.folder.remove(&names::file(stem, Part::Pack))?;
                }
                self.remove_outputs_from(stem, first_stale)
            }
        }
    }

    /// Unlinks every file of a key.
    pub(super) fn remove_files(&self, stem: &str, known: Option<PayloadInfo>) -> Result<()> {
        match known {
            Some(info) => {
                parts(&info).try_for_each(|part| self.folder.remove(&names::file(stem, part)).map(drop))
            }
            None => {
                self.folder.remove(&names::file(stem, Part::Pack))?;
                self.remove_outputs_from(stem, 0)
            }
        }
    }

    fn remove_outputs_from(&self, stem: &str, first: u32) -> Result<()> {
        for i in first..MAX_OUTPUTS as u32 {
            if !self.folder.remove(&names::file(stem, Part::Output(i)))? {
                break;
            }
        }
        Ok(())
    }

    /// The bytes of one output, mapped where `mapped` and large, else copied. `None` where there are none, or where they are damaged, of another put than
    /// the row speaks of, or of another host build.
    ///
    /// # Errors
    /// `InvalidKey`; those of opening a deferred index.
    pub fn output(&mut self, key: &str, index: u32, mapped: bool) -> Result<Option<Content>> {
        names::check(key)?;
        if matches!(self.changes.get(key), Some(Change::Removed)) || index >= MAX_OUTPUTS as u32 {
            return Ok(None);
        }
        self.load()?;
        let known = self.row(key)?.and_then(|row| row.payload);
        let stem = names::stem(key);
        let tries = match known {
            Some(PayloadInfo { packed: true, .. }) => [Some(Part::Pack), None],
            Some(_) => [Some(Part::Output(index)), None],
            None => [Some(Part::Pack), Some(Part::Output(index))],
        };
        for part in tries.into_iter().flatten() {
            // What the system refuses to read is not there.
            let Ok(Some(payload)) = self.payload(key, &stem, part) else { continue };
            if known.is_some_and(|known| known.set != payload.set) {
                continue;
            }
            let content = payload.output(index).map(|output| self.read(&payload, &output, mapped));
            if let Some(content) = content.and_then(Result::ok).flatten() {
                self.note_use(key);
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// Opens a payload file of a key, if it is that key's and this producer's.
    pub(super) fn payload(&self, key: &str, stem: &str, part: Part) -> Result<Option<Payload>> {
        let Some(file) = self.folder.open(&names::file(stem, part))? else {
            return Ok(None);
        };
        let own = |p: &Payload| p.key == key && p.part == part && Some(p.producer) == self.producer();
        Ok(Payload::open(file)?.filter(own))
    }

    fn read(&self, payload: &Payload, output: &Output, mapped: bool) -> Result<Option<Content>> {
        let file = payload.file();
        let Ok(len) = usize::try_from(output.len) else { return Ok(None) };
        let mapped = mapped && self.options.index.mapped;
        if mapped && len >= MAP_BLOB_BYTES && file.maps_are_coherent() {
            // Verified by positioned reads: a file cut under a mapping would end the process.
            if !output.is_in(file.as_ref())? {
                return Ok(None);
            }
            let start = output.offset / WINDOW_ALIGN * WINDOW_ALIGN;
            let from = output.offset.saturating_sub(start);
            if let Some(window) = file.window(start, from.saturating_add(output.len)) {
                return Ok(Some(Content::Window { window, from: usize::try_from(from).unwrap_or(0) }));
            }
        }
        let mut bytes = vec![0; len];
        let read = file.read_at(&mut bytes, output.offset)?;
        Ok((read == len && output.is(&bytes)).then_some(Content::Bytes(bytes)))
    }
}

/// The files of a payload.
pub(super) fn parts(info: &PayloadInfo) -> impl Iterator<Item = Part> + use<> {
    let flat = if info.packed { 0 } else { info.count.min(MAX_OUTPUTS as u32) };
    info.packed.then_some(Part::Pack).into_iter().chain((0..flat).map(Part::Output))
}
