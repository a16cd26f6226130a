//! Opening the index, and making rows again for payloads that have none.
//!
//! Rows are missing when the index is damaged or gone, when a process died between payload and flush, or
//! when a power cut took what was not synced. Each of these is noticed at the next open, which then looks
//! through the folder; a single row that is found missing or damaged later is made again when it is asked for.

use super::intent::{self, Intent};
use super::names::{self, Part};
use super::payload::Payload;
use super::{ArtifactStore, Change, Meta, PayloadInfo, Row};
use crate::error::{Error, Result};
use crate::shard::Shard;
use std::collections::HashMap;

/// The index of a store.
const INDEX: &str = "index.shard";

/// What opening a store found and mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Why the index reads as empty, where a damaged or foreign one was found.
    pub rejected: Option<String>,
    /// Rows made again from payloads.
    pub rows: u64,
    /// Payload files removed because no row could be made of them.
    pub swept: u64,
    /// Why the folder could not be looked through.
    pub failed: Option<String>,
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
        let mut index =
            Shard::open_on(std::sync::Arc::clone(&self.storage), &path, self.options.index.clone())?;
        let others = intent::others(&self.storage, &self.temporary);
        let complete = index.has_file()
            && others.dead.is_empty()
            && intent::compared_in_this_boot(&self.storage, &self.temporary);
        self.recovered.rejected = index.stats().rejected;
        self.index = Some(index);
        self.totals = None;
        if !complete && let Err(error) = self.recover(&others) {
            self.recovered.failed = Some(error.to_string());
        }
        self.fill_in_payloads()
    }

    /// Rows inserted before the index was open belong to the files that their keys had.
    fn fill_in_payloads(&mut self) -> Result<()> {
        let Some(index) = self.index.as_mut() else { return Ok(()) };
        for (key, change) in &mut self.changes {
            if let Change::Row { row, .. } = change
                && row.payload.is_none()
            {
                let before = index.read_quietly(key.as_bytes())?;
                row.payload = before.and_then(|bytes| Row::decode(&bytes)).and_then(|row| row.payload);
            }
        }
        Ok(())
    }

    /// Looks through the folder for payloads without rows.
    fn recover(&mut self, others: &intent::Others) -> Result<()> {
        let writable = !self.options.index.read_only;
        if writable {
            self.folder.sweep();
        }
        let mut files: HashMap<String, Vec<Part>> = HashMap::new();
        for found in self.folder.names()? {
            if let Some((stem, part)) = names::parse(&found.name) {
                files.entry(stem.to_owned()).or_default().push(part);
            }
        }
        // Somebody may be between the first file of a payload and the last.
        let sweep = writable && !others.alive;
        for (stem, parts) in &files {
            self.recover_one(stem, parts, sweep)?;
        }
        if !writable {
            return Ok(());
        }
        if self.recovered.rows > 0 && self.intent.is_none() {
            self.intent = Some(Intent::declare(&self.storage, &self.temporary)?);
        }
        if files.is_empty() && others.dead.is_empty() && !self.index()?.has_file() {
            // A new store: the first flush notes it. Until then no file is touched.
            self.compared = true;
        } else {
            intent::note_compared(&self.storage, &self.temporary)?;
        }
        others.dead.iter().try_for_each(|path| self.storage.remove(path))
    }

    fn recover_one(&mut self, stem: &str, parts: &[Part], sweep: bool) -> Result<()> {
        let main = if parts.contains(&Part::Pack) { Part::Pack } else { Part::Output(0) };
        // The key of a digested stem stands in the file only.
        let plain = !stem.starts_with('~');
        if plain && let Some(row) = self.row(stem)? {
            return self.sweep_strangers(stem, parts, row.payload, sweep);
        }
        let opened = self.folder.open(&names::file(stem, main))?;
        let payload = match opened {
            Some(file) => Payload::open(file)?,
            None => None,
        };
        let usable = payload
            .filter(|p| p.part == main && names::stem(&p.key) == stem && Some(p.producer) == self.producer());
        let Some(payload) = usable else {
            return if sweep { self.sweep_all(stem, parts) } else { Ok(()) };
        };
        let key = payload.key.clone();
        if !plain && let Some(row) = self.row(&key)? {
            return self.sweep_strangers(stem, parts, row.payload, sweep);
        }
        let there = |i: u32| parts.contains(&Part::Output(i));
        if main != Part::Pack && (payload.count as usize > parts.len() || !(0..payload.count).all(there)) {
            return if sweep { self.sweep_all(stem, parts) } else { Ok(()) };
        }
        let row = self.adopt_payload(&payload, parts.len())?;
        self.recovered.rows = self.recovered.rows.saturating_add(1);
        self.sweep_strangers(stem, parts, row.payload, sweep)
    }

    /// Makes the row of a payload, in memory; the next flush syncs the files and commits it.
    fn adopt_payload(&mut self, payload: &Payload, files: usize) -> Result<Row> {
        let (block, _) = payload.last_row()?;
        let meta: Option<Meta> = block.and_then(|bytes| Row::decode(&bytes)).and_then(|row| row.meta);
        let packed = payload.part == Part::Pack;
        let info = PayloadInfo {
            set: payload.set,
            packed,
            count: payload.count,
            bytes: match &meta {
                Some(meta) if !packed => meta.output_sizes.iter().fold(0, |sum, s| sum.saturating_add(*s)),
                _ => payload.bytes().saturating_mul(if packed { 1 } else { files as u64 }),
            },
        };
        let row = Row { meta, payload: Some(info) };
        if !self.options.index.read_only {
            let stem = names::stem(&payload.key);
            for part in super::outputs::parts(&info) {
                self.folder.touch_pending(&names::file(&stem, part), 0);
            }
        }
        let key = payload.key.clone();
        self.change(&key, Change::Row { row: row.clone(), described: true })?;
        Ok(row)
    }

    /// Makes the row of one key again, if it has a whole payload.
    pub(super) fn adopt(&mut self, key: &str) -> Result<Option<Row>> {
        let stem = names::stem(key);
        let payload = match self.payload(key, &stem, Part::Pack)? {
            Some(payload) => Some(payload),
            None => self.payload(key, &stem, Part::Output(0))?,
        };
        let Some(payload) = payload else { return Ok(None) };
        if payload.part != Part::Pack {
            for i in 1..payload.count {
                if self.payload(key, &stem, Part::Output(i))?.is_none_or(|p| p.set != payload.set) {
                    return Ok(None);
                }
            }
        }
        let row = self.adopt_payload(&payload, payload.count as usize)?;
        self.recovered.rows = self.recovered.rows.saturating_add(1);
        Ok(Some(row))
    }

    /// Removes files of a key that its row does not speak of: of an earlier or a later put that was not finished.
    fn sweep_strangers(
        &mut self,
        stem: &str,
        parts: &[Part],
        info: Option<PayloadInfo>,
        sweep: bool,
    ) -> Result<()> {
        let Some(info) = info.filter(|_| sweep) else { return Ok(()) };
        let stranger = |part: &&Part| match part {
            Part::Pack => !info.packed,
            Part::Output(i) => info.packed || *i >= info.count,
        };
        let strangers: Vec<Part> = parts.iter().filter(stranger).copied().collect();
        self.sweep_all(stem, &strangers)
    }

    /// Removes payload files, leaving alone what somebody else may have put here under such a name.
    fn sweep_all(&mut self, stem: &str, parts: &[Part]) -> Result<()> {
        for part in parts {
            let name = names::file(stem, *part);
            let ours = match self.folder.open(&name) {
                Ok(Some(file)) => Payload::looks_like_one(file.as_ref())?,
                Ok(None) | Err(Error::Io { .. }) => false,
                Err(error) => return Err(error),
            };
            if ours && self.folder.remove(&name)? {
                self.recovered.swept = self.recovered.swept.saturating_add(1);
            }
        }
        Ok(())
    }
}
