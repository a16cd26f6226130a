//! Opening the index, and comparing it with the payloads.
//!
//! Rows are missing when the index is damaged or gone, when a process died between payload and flush, or
//! when a power cut took what was not synced. Each of these is noticed at the next open, which then looks
//! through the folder: payloads without rows get them again, rows without payloads go, and so do files of
//! which no row can be made. A single row that is found missing or damaged later is made again when it is
//! asked for.

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

/// The index of a store.
const INDEX: &str = "index.shard";

/// What opening a store found and mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Why the index reads as empty or lacks rows, where a damaged or foreign one was found.
    pub rejected: Option<String>,
    /// Rows made again from payloads.
    pub rows: u64,
    /// Rows dropped because their payload is gone, damaged or of another put.
    pub dropped: u64,
    /// Payload files removed because no row could be made of them.
    pub swept: u64,
    /// Why something could not be looked at or mended.
    pub failed: Option<String>,
}

/// One look through the folder.
struct Comparison<'a> {
    care: Care,
    /// Those that died, where their leftovers may be swept.
    dead: Option<&'a intent::Others>,
    /// Whether files without rows and rows without files go: not while somebody may be between the two.
    sweep: bool,
    /// Whether something was left for want of that.
    left: bool,
}

impl ArtifactStore {
    /// Opens the index, unless that was done.
    ///
    /// # Errors
    /// `UntrustedFile`, `Io`, `NoSpace`. What goes wrong in making rows again is no error; see `recovered`.
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
            // Who may write shall see to them.
            others.dead.iter().for_each(|(_, file)| file.unlock());
        }
        let (noted, now) = (Note::read(&self.storage, &self.temporary), self.note_of_now());
        if let Some(noted) = noted.filter(|n| n.index == now.index && n.end > now.end) {
            let why = format!("truncated: {} bytes, of {} that were flushed", now.end, noted.end);
            self.recovered.rejected.get_or_insert(why);
        }
        let same_boot = noted.is_some_and(|n| n.boot == now.boot);
        let fits = noted.is_some_and(|n| n.index == now.index && n.end <= now.end);
        // While others are at work not everything can be swept, and the markers of the dead stay. That must not
        // make each of many processes look through the folder.
        let lately = |n: Note| now_ms().saturating_sub(n.unfinished_ms) < COMPARE_PAUSE_MS;
        let nothing_new = others.dead.is_empty() || (others.alive && noted.is_some_and(lately));
        if now.end > 0 && same_boot && fits && nothing_new {
            self.note = noted;
            // It would list the whole folder; a comparison does that, too.
            self.index()?.skip_sweep();
            return Ok(());
        }
        let care = Care { verify: !same_boot, sync: !same_boot || others.alive || !others.dead.is_empty() };
        if let Err(error) = self.recover(others, care) {
            self.recovered.failed = Some(error.to_string());
        }
        Ok(())
    }

    /// Rows inserted before the index was open belong to the files that their keys had.
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

    /// Looks through the folder, mends what is amiss, and notes that this was done. Markers of the dead stay
    /// until it is.
    fn recover(&mut self, others: intent::Others, care: Care) -> Result<()> {
        let writable = !self.options.index.read_only;
        // Without a producer nothing of the folder is ours.
        if self.producer().is_none() {
            return Ok(());
        }
        if writable {
            // A process may have died between writing rows and publishing them. They count, and from now on
            // everybody sees them.
            self.index()?.settle_now()?;
            self.folder.sweep();
        }
        let mut look = Comparison { care, dead: writable.then_some(&others), sweep: false, left: false };
        self.compare(&mut look)?;
        if !writable {
            return Ok(());
        }
        // At once: else everybody who opens until the next flush would have to find them again.
        self.flush_found()?;
        if self.recovered.failed.is_some() {
            return Ok(());
        }
        // A note of what the index is now, unless there is none: then the flush that makes it writes one.
        let unfinished_ms = if look.left { now_ms() } else { 0 };
        self.note = Some(Note { unfinished_ms, ..Note::default() });
        self.write_note();
        if look.left {
            return Ok(());
        }
        others.dead.iter().try_for_each(|(path, _)| self.storage.remove(path))
    }

    /// Makes rows of whatever has none, for this handle's eyes, and leaves the folder as it is.
    pub(super) fn find_payloads(&mut self) -> Result<()> {
        if self.producer().is_none() {
            return Ok(());
        }
        let known: HashSet<String> = self.rows()?.iter().map(|(key, _)| names::stem(key)).collect();
        let care = Care { verify: false, sync: true };
        let mut look = Comparison { care, dead: None, sweep: false, left: false };
        for (stem, there) in self.payload_files()?.iter().filter(|(stem, _)| !known.contains(*stem)) {
            // What cannot be read is not there.
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
        // After the listing: whoever had made one of these files and is not at work any more has flushed its row.
        look.sweep = self.may_sweep(look);
        let (mut healthy, mut unsure) = (HashSet::new(), false);
        for (stem, parts) in &files {
            match self.compare_one(stem, parts, look) {
                Ok(Some(key)) => drop(healthy.insert(key)),
                Ok(None) => {}
                // The other files are none the worse for it.
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

    /// Sees to the files of one stem. Returns the key if its row has all its files.
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
                // Described, but not flushed: its host died in between.
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
            // Somebody may be about to describe it.
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

    /// Makes a whole payload that no row speaks of the payload of its key, unless that is known to have
    /// another, or none.
    fn take_in(&mut self, whole: &Whole, meta: Option<Meta>, care: Care) -> Result<bool> {
        let key = &whole.main.key;
        match self.changes.get_mut(key) {
            // Inserted before anybody looked here.
            Some(Change { row: Some(row), origin: Origin::Own, severed: false, .. }) => {
                row.payload.get_or_insert(whole.info);
                return Ok(true);
            }
            // On its way out, and the flush sees to its files.
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

    /// Drops a flushed row that has no payload any more.
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

    /// Removes the files of a stem that do not belong to `info`: of a put that was not finished, or that
    /// another has replaced.
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
            // Somebody may have begun to replace this very file.
            look.sweep = look.sweep && self.may_sweep(look);
            if !look.sweep {
                look.left = true;
                continue;
            }
            match self.folder.remove(&name) {
                Ok(there) => self.recovered.swept = self.recovered.swept.saturating_add(u64::from(there)),
                // Nothing is the worse for its staying.
                Err(error) => {
                    look.left = true;
                    self.recovered.failed.get_or_insert(error.to_string());
                }
            }
        }
        Ok(())
    }

    /// Whether a file begins as a payload does, or is one that a power cut tore. Sound ones of other host
    /// builds are theirs, and what does not look like a payload is somebody else's.
    fn is_rubbish(&self, name: &str) -> Result<bool> {
        let Some(file) = self.folder.open(name)? else { return Ok(false) };
        if !Payload::looks_like_one(file.as_ref())? {
            return Ok(false);
        }
        Ok(Payload::open(file)?.is_none_or(|payload| Some(payload.producer) == self.producer()))
    }
}
