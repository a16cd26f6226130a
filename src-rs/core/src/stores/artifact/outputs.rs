//! Outputs: written to their files at once, read on request, verified before they are returned.

use super::change::Awaits;
use super::intent::Intent;
use super::names::{self, Part};
use super::payload::{Output, Outputs, Payload, row_block};
use super::row::check_outputs;
use super::{ArtifactStore, PayloadInfo, Row};
use crate::error::{Error, Result};
use crate::limits::{MAP_BLOB_BYTES, MAX_ENTRY_BYTES, MAX_OUTPUTS};
use crate::mapping::Window;
use crate::stores::blob::Prepared;
use std::io::ErrorKind;

/// An error comes with the number of files that had been renamed into place by then.
type Published<T> = std::result::Result<T, (Error, usize)>;

/// The bytes of one output.
#[derive(Debug)]
pub enum Content {
    /// A copy.
    Bytes(Vec<u8>),
    /// A private mapping that contains the bytes from `from` to its end.
    Window {
        /// The mapping.
        window: Window,
        /// Offset of the bytes in the mapping.
        from: usize,
    },
}

/// A window starts at a multiple of this many bytes, which is a multiple of every usual page size.
const WINDOW_ALIGN: u64 = 64 << 10;

impl ArtifactStore {
    /// Writes the outputs of a key, each to its own file or, with `pack`, all to one file. They replace the
    /// key's former outputs. The key keeps its metadata.
    ///
    /// # Errors
    /// `InvalidKey`, `TooLarge`, `ReadOnly`, `Io`, `NoSpace`. The former outputs stay, unless some of their
    /// files have been replaced already: then the key is removed.
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
        let digested = Outputs::new(outputs);
        // Without outputs there is still a file, because the metadata needs one.
        let packed = pack || outputs.is_empty();
        let info = PayloadInfo {
            set: digested.set,
            packed,
            count: u32::try_from(outputs.len()).unwrap_or(u32::MAX),
            bytes: digested.bytes(),
        };
        let (meta, old) = before.map_or((None, None), |row| (row.meta, row.payload));
        // Metadata of other outputs must not be written to these files: a rebuilt row would mix the two puts.
        let loose = self.changes.get(key).is_some_and(|change| change.awaits == Awaits::Outputs);
        let carried = meta.as_ref().filter(|_| loose || old.is_none_or(|old| old.set == info.set));
        let block = carried.map(|meta| row_block(key, &meta.encode()));
        let was_clean = self.intent.is_none();
        if was_clean {
            self.intent = Some(Intent::declare(&self.storage, &self.temporary)?);
        }
        let mut change = self.successor(key, Row { meta, payload: Some(info) });
        change.described = block.is_some();
        change.awaits = if change.described { Awaits::Nothing } else { Awaits::Meta };
        let drafts = self.draft_files(key, producer, &digested, &info, block.as_deref());
        match drafts.and_then(|drafts| self.publish_files(drafts)) {
            Ok(()) => {}
            Err((error, 0)) => {
                // No file has been replaced.
                if was_clean {
                    self.intent.take().into_iter().for_each(Intent::finish);
                }
                return Err(error);
            }
            Err((error, _)) => {
                // Neither the old outputs nor the new ones are complete.
                self.doom(key, old)?;
                self.doom(key, Some(info))?;
                return Err(error);
            }
        }
        self.unmeasured = self.unmeasured.saturating_add(if change.described { 0 } else { info.bytes });
        match old {
            Some(old) if info.leaves_files_of(&old) => change.doomed.push(old),
            Some(_) => {}
            None => self.remove_strays(&names::stem(key), &info)?,
        }
        self.change(key, change)
    }

    fn draft_files(
        &self,
        key: &str,
        producer: u64,
        outputs: &Outputs<'_>,
        info: &PayloadInfo,
        block: Option<&[u8]>,
    ) -> Published<Vec<Prepared>> {
        let stem = names::stem(key);
        let prepare = |part| {
            let draft = outputs.file(key, producer, part);
            let main = matches!(part, Part::Pack | Part::Output(0));
            let block = block.filter(|_| main).unwrap_or_default();
            self.folder.prepare(&names::file(&stem, part), &draft.chunks(block))
        };
        parts(info).map(prepare).collect::<Result<_>>().map_err(|error| (error, 0))
    }

    fn publish_files(&self, drafts: Vec<Prepared>) -> Published<()> {
        drafts
            .into_iter()
            .enumerate()
            .try_for_each(|(n, file)| self.folder.publish(file).map_err(|error| (error, n)))
    }

    /// Unlinks files of the key that no row refers to: a rebuild of the row must not prefer them to the new
    /// ones.
    fn remove_strays(&self, stem: &str, now: &PayloadInfo) -> Result<()> {
        if !now.packed {
            self.folder.remove(&names::file(stem, Part::Pack))?;
        }
        let first = if now.packed { 0 } else { now.count };
        for i in first..MAX_OUTPUTS as u32 {
            if !self.folder.remove(&names::file(stem, Part::Output(i)))? {
                break;
            }
        }
        Ok(())
    }

    /// Unlinks the files of an earlier put, except those that files of `now` have replaced. Returns whether
    /// there were any.
    pub(super) fn remove_files(
        &self,
        key: &str,
        doomed: &PayloadInfo,
        now: Option<PayloadInfo>,
    ) -> Result<bool> {
        let (stem, mut removed) = (names::stem(key), false);
        for part in parts(doomed).filter(|part| now.is_none_or(|now| !parts(&now).any(|p| p == *part))) {
            let name = names::file(&stem, part);
            let file = self.folder.open(&name)?;
            let there = match file {
                Some(file) => Payload::open(file)?,
                None => None,
            };
            // Not ours: another process has replaced it with something newer.
            if there
                .is_some_and(|p| p.key != key || p.set != doomed.set || Some(p.producer) != self.producer())
            {
                continue;
            }
            match self.folder.remove(&name) {
                Ok(there) => removed |= there,
                // A folder of that name is not ours.
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::IsADirectory => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }

    /// The bytes of one output. `None` if they are missing, damaged, or from another put or host build than
    /// the row.
    ///
    /// # Errors
    /// `InvalidKey`; those of opening a deferred index.
    pub fn output(&mut self, key: &str, index: u32) -> Result<Option<Content>> {
        names::check(key)?;
        if index >= MAX_OUTPUTS as u32 || self.changed(key)?.is_some_and(|change| change.row.is_none()) {
            return Ok(None);
        }
        self.load()?;
        let known = self.row(key)?;
        let stem = names::stem(key);
        let tries = match &known {
            Some(Row { payload: Some(PayloadInfo { packed: true, .. }), .. }) => [Some(Part::Pack), None],
            Some(Row { payload: Some(_), .. }) => [Some(Part::Output(index)), None],
            // The key has metadata, but no outputs.
            Some(Row { payload: None, .. }) => [None, None],
            None => [Some(Part::Pack), Some(Part::Output(index))],
        };
        let known = known.and_then(|row| row.payload);
        for part in tries.into_iter().flatten() {
            // A file that cannot be read counts as missing.
            let Ok(Some(payload)) = self.payload(key, &stem, part) else { continue };
            let set = match (known, part) {
                (Some(known), _) => Some(known.set),
                // Without a row, the file of output 0 says which put is complete.
                (None, Part::Output(1..)) => {
                    self.payload(key, &stem, Part::Output(0)).ok().flatten().map(|first| first.set)
                }
                (None, _) => Some(payload.set),
            };
            if set != Some(payload.set) {
                continue;
            }
            let content = payload.output(index).map(|output| self.read(&payload, &output));
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

    fn read(&self, payload: &Payload, output: &Output) -> Result<Option<Content>> {
        let file = payload.file();
        let Ok(len) = usize::try_from(output.len) else { return Ok(None) };
        if self.options.index.mapped && !self.never_lend && len >= MAP_BLOB_BYTES && file.maps_are_coherent()
        {
            // Verified with positioned reads: reading a mapping whose file is truncated raises SIGBUS.
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

/// The files of which a payload consists.
pub(super) fn parts(info: &PayloadInfo) -> impl Iterator<Item = Part> + use<> {
    let flat = if info.packed { 0 } else { info.count.min(MAX_OUTPUTS as u32) };
    info.packed.then_some(Part::Pack).into_iter().chain((0..flat).map(Part::Output))
}
