//! Answers that a process keeps in front of its handle, as the facade does: given again while the page's generation
//! and the handle's era are what they were before the look-up and after it.

use super::disk::Door;
use super::workload::PATH;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use warmshard_core::Shard;
use warmshard_core::sidecar::{GENERATION_AT, path_for};
use warmshard_core::storage::{File, Open, Storage};

/// See the module's head.
#[derive(Default)]
pub struct Kept {
    page: Option<Arc<dyn File>>,
    /// The page's number, the era and the generation that the answers are of.
    of: (u32, u32, u64),
    answers: BTreeMap<String, u64>,
    /// Answers that were given again.
    pub given: u64,
}

impl Kept {
    /// As it is now; nothing where there is no page.
    fn now(&self, shard: &Shard) -> Option<(u32, u32, u64)> {
        let era = shard.era();
        let mut word = [0; 8];
        let read = self.page.as_ref()?.read_at(&mut word, GENERATION_AT as u64).ok()?;
        (read == word.len()).then_some((shard.page_number(), era, u64::from_le_bytes(word)))
    }

    /// What is kept of a key. Else it is noted which time an answer is of that is found now.
    pub fn get(&mut self, shard: &Shard, door: &Door, key: &str) -> Option<u64> {
        let now = self.now(shard);
        if now.is_some_and(|now| now == self.of) {
            let kept = self.answers.get(key).copied();
            self.given += u64::from(kept.is_some());
            return kept;
        }
        self.answers.clear();
        if self.page.is_none() || shard.page_number() != self.of.0 {
            self.page = door.open(&path_for(Path::new(PATH)), Open::Read).ok().flatten();
        }
        self.of = self.now(shard).unwrap_or_default();
        None
    }

    /// Keeps an answer, unless it was overtaken.
    pub fn keep(&mut self, shard: &Shard, key: &str, answer: u64) {
        if self.now(shard).is_some_and(|now| now == self.of) {
            self.answers.insert(key.to_owned(), answer);
        }
    }
}
