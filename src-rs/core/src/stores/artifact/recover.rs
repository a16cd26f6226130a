//! Opening the index, and comparing it with the payloads.
//!
//! Rows are missing if the index is damaged or gone, if a process died between writing a payload and the
//! flush, or if a power cut destroyed what was not synced. The next open detects each of these and compares
//! the folder with the index: it rebuilds the rows of payloads without rows, drops rows without payloads, and
//! removes files from which no row can be made. A single row that is missing or damaged later is rebuilt when
//! it is asked for (`adopt.rs`).

use super::adopt::{Care, Whole, described};
use super::change::{Awaits, Change, Origin};
use super::intent;
use super::names::{self, Part};
use super::note::Note;
use super::payload::Payload;
use super::{ArtifactStore, Meta, PayloadInfo, Row};
use crate::clock::now_ms;
use crate::error::Result;
use crate::limits::COMPARE_PAUSE_MS;
use crate::shard::Shard;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// File name of the index.
const INDEX: &str = "index.shard";

/// What opening a store found and repaired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Why the index reads as empty or lacks rows, if a damaged or foreign one was found.
    pub rejected: Option<String>,
    /// Number of rows rebuilt from payloads.
    pub rows: u64,
    /// Number of rows dropped because their payload is gone, damaged or from another put.
    pub dropped: u64,
    /// Number of payload files removed because no row could be made from them.
    pub swept: u64,
    /// Why something could not be read or repaired.
    pub failed: Option<String>,
}

/// One comparison of the folder with the index.
struct Comparison<'a> {
    care: Care,
    /// The markers of dead processes, if this comparison may sweep at all.
    dead: Option<&'a intent::Others>,
    /// Whether files without rows and rows without files are removed. Not while another process has
    /// unfinished work: it may have written one and not yet the other.
    sweep: bool,
    /// Whether something was left to be removed by a later comparison.
    left: bool,
}

impl ArtifactStore {
    /// Opens the index, unless it is open already.
    ///
    /// # Errors
    /// `UntrustedFile`, `Io`, `NoSpace`. A failure of the comparison is not an error; see `recovered`.
    pub fn load(&mut self) -> Result<()> {
        if self.index.is_some() {
            return Ok(());
        }
        let path = self.dir.join(INDEX);
        let mut index = Shard::open_on(Arc::clone(&self.storage), &path, self.options.index.clone())?;
        self.recovered.rejected = index.stats().rejected;
        self.index = Some(index);
        self.totals = None;
        self.fill_in_payloads()?;
        let others = intent::others(&self.storage, &self.temporary);
        if self.options.index.read_only {
            // Left to a handle that may write.
            others.dead.iter().for_each(|(_, file)| file.unlock());
        }
        let (noted, now) = (Note::read(&self.storage, &self.temporary), self.note_of_now());
        if let Some(noted) = noted.filter(|n| n.index == now.index && n.end > now.end) {
            let why = format!("truncated: {} bytes, of {} that were flushed", now.end, noted.end);
            self.recovered.rejected.get_or_insert(why);
        }
        let same_boot = noted.is_some_and(|n| n.boot == now.boot);
        let fits = noted.is_some_and(|n| n.index == now.index && n.end <= now.end);
        // While others are at work not everything can be swept, so the markers of dead processes stay. These
        // must not make every process that opens the store compare it again.
        let lately = |n: Note| now_ms().saturating_sub(n.unfinished_ms) < COMPARE_PAUSE_MS;
        let nothing_new = others.dead.is_empty() || (others.alive && noted.is_some_and(lately));
        if now.end > 0 && same_boot && fits && nothing_new {
            self.note = noted;
            // The index's own sweep would list the whole folder, which may have very many files.
            self.index()?.skip_sweep();
            return Ok(());
        }
        let care = Care { verify: !same_boot, sync: !same_boot || others.alive || !others.dead.is_empty() };
        if let Err(error) = self.recover(others, care) {
            self.recovered.failed = Some(error.to_string());
        }
        Ok(())
    }

    /// Adds the flushed payloads to rows that were inserted before the index was open.
    fn fill_in_payloads(&mut self) -> Result<()> {
        let bare = |change: &Change| change.row.as_ref().is_some_and(|row| row.payload.is_none());
        let keys: Vec<String> =
            self.changes.iter().filter(|(_, change)| bare(change)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let payload = self.flushed_row(&key)?.and_then(|row| row.payload);
            if let Some(row) = self.changes.get_mut(&key).and_then(|change| change.row.as_mut()) {
                row.payload = payload;
            }
        }
        Ok(())
    }

    /// Compares the folder with the index, repairs what is wrong, and writes the note. Markers of dead
    /// processes are removed last, once everything is done.
    fn recover(&mut self, others: intent::Others, care: Care) -> Result<()> {
        let writable = !self.options.index.read_only;
        // Without a producer nothing in the folder is ours.
        if self.producer().is_none() {
            return Ok(());
        }
        if writable {
            // A process may have died between writing rows and publishing them. They count, and this
            // publishes them.
            self.index()?.settle_now()?;
            self.folder.sweep();
        }
        let mut look = Comparison { care, dead: writable.then_some(&others), sweep: false, left: false };
        self.compare(&mut look)?;
        if !writable {
            return Ok(());
        }
        // Now: otherwise each process that opens the store before the next flush has to find them again.
        self.flush_found()?;
        if self.recovered.failed.is_some() {
            return Ok(());
        }
        // If there is no index yet, nothing is written here: the flush that creates it writes the note.
        let unfinished_ms = if look.left { now_ms() } else { 0 };
        self.note = Some(Note { unfinished_ms, ..Note::default() });
        self.write_note();
        if look.left {
            return Ok(());
        }
        others.dead.iter().try_for_each(|(path, _)| self.storage.remove(path))
    }

    /// Rebuilds missing rows in this handle only, and leaves the folder as it is.
    pub(super) fn find_payloads(&mut self) -> Result<()> {
        if self.producer().is_none() {
            return Ok(());
        }
        let known: HashSet<String> = self.rows()?.iter().map(|(key, _)| names::stem(key)).collect();
        let care = Care { verify: false, sync: true };
        let mut look = Comparison { care, dead: None, sweep: false, left: false };
        for (stem, there) in self.payload_files()?.iter().filter(|(stem, _)| !known.contains(*stem)) {
            // What cannot be read counts as missing.
            let _ = self.compare_one(stem, there, &mut look);
        }
        Ok(())
    }

    fn payload_files(&self) -> Result<HashMap<String, Vec<Part>>> {
        let mut files: HashMap<String, Vec<Part>> = HashMap::new();
        for found in self.folder.names()? {
            if let Some((stem, part)) = names::parse(&found.name) {
                files.entry(stem.to_owned()).or_default().push(part);
            }
        }
        Ok(files)
    }

    fn compare(&mut self, look: &mut Comparison<'_>) -> Result<()> {
        let files = self.payload_files()?;
        // Must come after the listing: if a process that wrote one of these files has finished its work by
        // now, its row is flushed.
        look.sweep = self.may_sweep(look);
        let (mut healthy, mut unsure) = (HashSet::new(), false);
        for (stem, parts) in &files {
            match self.compare_one(stem, parts, look) {
                Ok(Some(key)) => drop(healthy.insert(key)),
                Ok(None) => {}
                // Go on with the other files.
                Err(error) => {
                    unsure = true;
                    self.recovered.failed.get_or_insert(error.to_string());
                }
            }
        }
        for (key, row) in if unsure { Vec::new() } else { self.rows()? } {
            if row.payload.is_some() && !healthy.contains(&key) {
                self.drop_row(&key, look)?;
            }
        }
        Ok(())
    }

    fn may_sweep(&self, look: &Comparison<'_>) -> bool {
        look.dead.is_some_and(|dead| !intent::anyone_alive(&self.storage, &self.temporary, dead))
    }

    /// Compares the files of one stem with their row. Returns the key if its row has all its files.
    fn compare_one(
        &mut self,
        stem: &str,
        there: &[Part],
        look: &mut Comparison<'_>,
    ) -> Result<Option<String>> {
        let mut found: Option<(Whole, Option<Meta>)> = None;
        for main in [Part::Pack, Part::Output(0)].into_iter().filter(|part| there.contains(part)) {
            let Some(whole) = self.whole(stem, main)? else { continue };
            let row = self.row(&whole.main.key)?;
            let own =
                row.as_ref().and_then(|row| row.payload).is_some_and(|info| info.same_files(&whole.info));
            if own {
                // The payload carries metadata that the row lacks: the process died before it flushed the row.
                if row.is_some_and(|row| row.meta.is_none())
                    && let Some(meta) = described(&whole.main)?
                {
                    self.adopt_whole(&whole, Some(meta), look.care)?;
                }
                self.sweep_others(stem, there, Some(whole.info), look)?;
                return Ok(Some(whole.main.key));
            }
            if look.care.verify && !self.is_sound(&whole)? {
                continue;
            }
            let meta = described(&whole.main)?;
            if found.as_ref().is_none_or(|(_, other)| other.is_none() && meta.is_some()) {
                found = Some((whole, meta));
            }
        }
        if !look.sweep && found.as_ref().is_some_and(|(_, meta)| meta.is_none()) {
            // Another process may still insert the metadata.
            look.left = true;
            return Ok(None);
        }
        let Some((whole, meta)) = found else {
            self.sweep_others(stem, there, None, look)?;
            return Ok(None);
        };
        if !self.take_in(&whole, meta, look.care)? {
            self.sweep_others(stem, there, None, look)?;
            return Ok(None);
        }
        self.sweep_others(stem, there, Some(whole.info), look)?;
        Ok(Some(whole.main.key))
    }

    /// Makes a payload that no row refers to the payload of its key. Returns false if the index has other
    /// metadata for the key and no payload.
    fn take_in(&mut self, whole: &Whole, meta: Option<Meta>, care: Care) -> Result<bool> {
        let key = &whole.main.key;
        match self.changes.get_mut(key) {
            // The metadata was inserted before the index was open.
            Some(Change { row: Some(row), origin: Origin::Own, severed: false, .. }) => {
                row.payload.get_or_insert(whole.info);
                return Ok(true);
            }
            // The key is being removed, and the flush unlinks its files.
            Some(Change { origin: Origin::Own, .. }) => return Ok(true),
            _ => {}
        }
        if let Some(Row { meta: Some(known), payload: None }) = self.flushed_row(key)?
            && meta.as_ref() != Some(&known)
        {
            return Ok(false);
        }
        self.adopt_whole(whole, meta, care)?;
        Ok(true)
    }

    /// Drops a flushed row whose payload is missing.
    fn drop_row(&mut self, key: &str, look: &mut Comparison<'_>) -> Result<()> {
        if !look.sweep {
            look.left = true;
            return Ok(());
        }
        let origin = Origin::Found { over: self.flushed_row(key)? };
        let change = Change {
            row: None,
            described: true,
            awaits: Awaits::Nothing,
            origin,
            doomed: Vec::new(),
            severed: true,
        };
        self.change(key, change)?;
        self.recovered.dropped = self.recovered.dropped.saturating_add(1);
        Ok(())
    }

    /// Removes the files of a stem that do not belong to `info`: they are from an unfinished put, or from one
    /// that was replaced.
    fn sweep_others(
        &mut self,
        stem: &str,
        there: &[Part],
        info: Option<PayloadInfo>,
        look: &mut Comparison<'_>,
    ) -> Result<()> {
        let own = |part: &Part| {
            info.is_some_and(|info| match part {
                Part::Pack => info.packed,
                Part::Output(i) => !info.packed && *i < info.count,
            })
        };
        for part in there.iter().filter(|part| !own(part)) {
            let name = names::file(stem, *part);
            if !self.is_rubbish(&name)? {
                continue;
            }
            // Checked again, because another process may have begun to replace this file.
            look.sweep = look.sweep && self.may_sweep(look);
            if !look.sweep {
                look.left = true;
                continue;
            }
            match self.folder.remove(&name) {
                Ok(there) => self.recovered.swept = self.recovered.swept.saturating_add(u64::from(there)),
                // A file that stays does no harm.
                Err(error) => {
                    look.left = true;
                    self.recovered.failed.get_or_insert(error.to_string());
                }
            }
        }
        Ok(())
    }

    /// Whether a file may be swept: it is a payload of this host build, or one that a power cut tore. Payloads
    /// of other host builds and files that do not start like a payload are left alone.
    fn is_rubbish(&self, name: &str) -> Result<bool> {
        let Some(file) = self.folder.open(name)? else { return Ok(false) };
        if !Payload::looks_like_one(file.as_ref())? {
            return Ok(false);
        }
        Ok(Payload::open(file)?.is_none_or(|payload| Some(payload.producer) == self.producer()))
    }
}
