//! Rebuilding the row of a payload from what the payload contains.

use super::change::{Awaits, Change, Origin};
use super::names::{self, Part};
use super::outputs::parts;
use super::payload::Payload;
use super::{ArtifactStore, Meta, PayloadInfo, Row};
use crate::error::Result;

/// A payload whose files all exist, have valid fronts and come from the same put.
pub(super) struct Whole {
    pub main: Payload,
    pub info: PayloadInfo,
}

/// How carefully payloads are treated.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Care {
    /// Whether outputs are verified, because a power cut may have torn them.
    pub verify: bool,
    /// Whether files may not have been synced yet. Then the next flush syncs them.
    pub sync: bool,
}

impl ArtifactStore {
    /// Opens all files of a payload, starting with its main file.
    pub(super) fn whole(&self, stem: &str, main: Part) -> Result<Option<Whole>> {
        let Some(file) = self.folder.open(&names::file(stem, main))? else { return Ok(None) };
        let Some(main) = Payload::open(file)?.filter(|p| p.part == main && names::stem(&p.key) == stem)
        else {
            return Ok(None);
        };
        if Some(main.producer) != self.producer() {
            return Ok(None);
        }
        let packed = main.part == Part::Pack;
        let mut info = PayloadInfo { set: main.set, packed, count: main.count, bytes: main.bytes() };
        for part in parts(&info).skip(1) {
            let other = self.payload(&main.key, stem, part)?.filter(|p| p.set == main.set);
            let Some(other) = other else { return Ok(None) };
            info.bytes = info.bytes.saturating_add(other.bytes());
        }
        Ok(Some(Whole { main, info }))
    }

    /// Whether all outputs match their digests.
    pub(super) fn is_sound(&self, whole: &Whole) -> Result<bool> {
        let (key, stem) = (&whole.main.key, names::stem(&whole.main.key));
        for part in parts(&whole.info) {
            let Some(payload) = self.payload(key, &stem, part)? else { return Ok(false) };
            if !payload.is_sound()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Rebuilds the row of a key, if the key has a whole payload that carries its metadata.
    pub(super) fn adopt(&mut self, key: &str) -> Result<Option<Row>> {
        let (stem, care) = (names::stem(key), Care { verify: false, sync: true });
        for main in [Part::Pack, Part::Output(0)] {
            let Some(whole) = self.whole(&stem, main)?.filter(|whole| whole.main.key == key) else {
                continue;
            };
            let meta = described(&whole.main)?;
            if meta.is_some() {
                return self.adopt_whole(&whole, meta, care).map(Some);
            }
        }
        Ok(None)
    }

    /// Rebuilds the row of a payload in memory; the next flush commits it.
    pub(super) fn adopt_whole(&mut self, whole: &Whole, meta: Option<Meta>, care: Care) -> Result<Row> {
        let key = &whole.main.key;
        if care.sync && !self.options.index.read_only {
            let stem = names::stem(key);
            for part in parts(&whole.info) {
                self.folder.touch_pending(&names::file(&stem, part), 0);
            }
        }
        let row = Row { meta, payload: Some(whole.info) };
        let origin = Origin::Found { over: self.flushed_row(key)? };
        let change = Change {
            row: Some(row.clone()),
            described: true,
            awaits: if row.meta.is_some() { Awaits::Nothing } else { Awaits::Meta },
            origin,
            doomed: Vec::new(),
            severed: false,
        };
        self.change(key, change)?;
        self.recovered.rows = self.recovered.rows.saturating_add(1);
        Ok(row)
    }

    /// Whether all files of a row exist and come from its put.
    pub(super) fn has_files(&self, key: &str, info: &PayloadInfo) -> Result<bool> {
        let stem = names::stem(key);
        for part in parts(info) {
            if self.payload(key, &stem, part)?.is_none_or(|payload| payload.set != info.set) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The metadata that a payload carries.
pub(super) fn described(main: &Payload) -> Result<Option<Meta>> {
    let (block, _) = main.last_row()?;
    Ok(block.and_then(|bytes| Row::decode(&bytes)).and_then(|row| row.meta))
}
