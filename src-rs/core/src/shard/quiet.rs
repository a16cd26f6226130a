//! Access that is not counted and not noted as a use. Stores that keep rows in a shard walk over all of
//! them for their own purposes, and this must not make every row look recently used. Also some other
//! functions that only stores need.

use super::list::whole_record;
use super::{Batch, Job, Patience, Shard};
use crate::clock::now_ms;
use crate::error::Result;
use crate::frame::{HEAD_LEN, parts};
use crate::key;
use crate::state::{Found, Scratch, State};

/// An entry of another producer.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// The key as the caller knows it.
    pub key: String,
    /// Who made it.
    pub producer: u64,
    /// Its first part.
    pub part: Vec<u8>,
    stored: Vec<u8>,
    place: u64,
}

impl Shard {
    /// A copy of the first part of this producer's entry of a key, if the entry is undamaged and has not
    /// expired.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn read_quietly(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let (Some(offset), Some(producer)) = (self.place_of(key)?, self.options.producer.id()) else {
            return Ok(None);
        };
        let Some(state) = self.state.as_deref() else { return Ok(None) };
        Ok(sound_entry(state, offset, producer, &mut self.scratch).map(|(_, part)| part.to_vec()))
    }

    /// Passes key and first part of each undamaged entry of this producer to `each`, oldest first, until
    /// that returns false.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn walk_quietly(&mut self, mut each: impl FnMut(&str, &[u8]) -> bool) -> Result<()> {
        let offsets = self.live_offsets()?;
        let (Some(state), Some(producer)) = (self.state.as_deref(), self.options.producer.id()) else {
            return Ok(());
        };
        for offset in offsets {
            if let Some((stored, part)) = sound_entry(state, offset, producer, &mut self.scratch)
                && let Some(key) = key::shown(stored, self.options.root.as_ref())
                && !each(&key, part)
            {
                return Ok(());
            }
        }
        self.could_read()
    }

    /// All undamaged entries of other producers, oldest first.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn foreign_entries(&mut self) -> Result<Vec<Foreign>> {
        let offsets = self.live_offsets()?;
        let own = self.options.producer.id();
        let Some(state) = self.state.as_deref() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for place in offsets {
            let head = state.head_at(place, &mut self.scratch);
            let Some(producer) = head.map(|h| h.producer.get()).filter(|p| Some(*p) != own) else { continue };
            if let Some((stored, part)) = sound_entry(state, place, producer, &mut self.scratch)
                && let Some(key) = key::shown(stored, self.options.root.as_ref())
            {
                found.push(Foreign { key, producer, part: part.to_vec(), stored: stored.to_vec(), place });
            }
        }
        self.could_read()?;
        Ok(found)
    }

    /// Deletes entries of other producers, unless they have changed since. Returns how many were deleted.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub fn delete_foreign(&mut self, doomed: &[Foreign]) -> Result<u64> {
        let places: Vec<_> = doomed.iter().map(|f| (f.stored.clone(), f.producer, f.place)).collect();
        self.delete_places(&places, &Job::default(), &self.patience())
    }

    /// Notes a use of a key at a time in milliseconds since the epoch.
    pub fn note_use(&self, key: &[u8], now_ms: u64) {
        if let Some((sidecar, hash)) = self.sidecar.as_ref().zip(self.hash_of(key)) {
            sidecar.touch(hash, now_ms);
        }
    }

    /// Approximately when a key was last used, in milliseconds since the epoch; zero for never.
    #[must_use]
    pub fn last_used_ms(&self, key: &[u8]) -> u64 {
        let sidecar = self.sidecar.as_ref().zip(self.hash_of(key));
        sidecar.map_or(0, |(sidecar, hash)| sidecar.last_used_ms(hash))
    }

    /// Id and published length of the file. `None` if there is no file, or if it reads as empty.
    pub fn file_state(&mut self) -> Option<([u8; 16], u64)> {
        self.catch_up();
        self.state.as_ref().map(|state| (state.header.shard_id, state.end))
    }

    /// Adopts complete frames that a writer left unpublished when it died.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`.
    pub fn settle_now(&mut self) -> Result<()> {
        self.in_lock(&self.patience(), |_| Ok(()))
    }

    /// Keeps this handle from looking for temporary files of dead processes, for folders with so many files that
    /// listing them takes long.
    pub fn skip_sweep(&mut self) {
        self.swept = true;
    }

    /// Ends compaction in the background, waits for its end, and catches up.
    pub fn stop_background(&mut self) {
        self.background.cancel();
        self.background.join();
        self.catch_up();
    }

    /// Enlarges the recency table for this many entries, within its limits.
    ///
    /// # Errors
    /// `ReadOnly`, `LockTimeout`, `Io`, `NoSpace`.
    pub(crate) fn fit_recency(&mut self, entries: u64, patience: &Patience) -> Result<()> {
        self.in_lock(patience, |shard| {
            shard.sidecar.as_mut().map_or(Ok(()), |sidecar| sidecar.fit_recency(entries))
        })
    }

    fn hash_of(&self, key: &[u8]) -> Option<u64> {
        let stored = key::stored(key, self.options.root.as_ref()).ok()?;
        Some(key::hash(&stored, self.state.as_deref()?.header.seed))
    }

    /// Whether there is a file at the path that does not read as empty.
    pub fn has_file(&mut self) -> bool {
        self.catch_up();
        self.state.is_some()
    }
}

impl Batch<'_, '_> {
    /// Like `Shard::read_quietly`, with the lock held. It does not see the batch's own changes.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let stored = key::stored(key, self.shard.shard.options.root.as_ref())?;
        let Some(producer) = self.shard.producer else { return Ok(None) };
        let (state, mut scratch) = (&*self.appender.state, Scratch::default());
        let hash = key::hash(&stored, self.shard.seed);
        let Found::Record(offset) = state.find(&stored, hash, producer, &mut scratch) else {
            return Ok(None);
        };
        Ok(sound_entry(state, offset, producer, &mut scratch).map(|(_, part)| part.to_vec()))
    }
}

/// Stored key and first part of the record at `offset`, if it is of this producer, undamaged and not expired.
fn sound_entry<'a>(
    state: &'a State,
    offset: u64,
    producer: u64,
    scratch: &'a mut Scratch,
) -> Option<(&'a [u8], &'a [u8])> {
    let (head, frame) = whole_record(state, offset, scratch)?;
    let expires = head.expires_ms.get();
    if head.producer.get() != producer
        || (expires != 0 && expires <= now_ms())
        || !state.sealer.verify(frame, offset)
    {
        return None;
    }
    let layout = head.layout();
    let (at, len) = parts(&head, frame.get(layout.validator_end..layout.lens_end)?, 0).next()?;
    let from = usize::try_from(at).ok()?;
    let part = frame.get(from..from.checked_add(usize::try_from(len).ok()?)?)?;
    Some((frame.get(HEAD_LEN..layout.key_end)?, part))
}
