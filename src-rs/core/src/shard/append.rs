//! Appending frames to a file that nobody else may append to: the lock is held, or the file is a
//! temporary one that only we know.
//!
//! Bytes below `state.end` are never written again. Frames go to the file in pieces; until the
//! caller moves `state.end` past them and publishes, they do not exist for anyone.

use crate::error::{Error, Result};
use crate::frame::{HEAD_LEN, IN_BATCH, RecordFields};
use crate::index::snapshot::{About, encode};
use crate::index::{Entry, Place, merge};
use crate::limits::{MAX_FILE_LEN, MAX_TABLES, MERGE_FACTOR, WRITE_CHUNK};
use crate::state::{Scratch, State};

/// Frames on their way to the end of a file.
pub(super) struct Appender<'a> {
    pub state: &'a mut State,
    pub buffer: &'a mut Vec<u8>,
    pub generation: u64,
    /// Where the buffer's first byte will stand.
    at: u64,
    first: u64,
    /// Every record and tombstone so far, oldest first.
    entries: Vec<Entry>,
}

impl<'a> Appender<'a> {
    pub fn new(state: &'a mut State, buffer: &'a mut Vec<u8>, generation: u64) -> Self {
        buffer.clear();
        let at = state.end;
        Appender { state, buffer, generation, at, first: at, entries: Vec::new() }
    }

    /// Where the next frame will stand.
    pub fn offset(&self) -> u64 {
        self.at.saturating_add(self.buffer.len() as u64)
    }

    /// Frames so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends a record, or a tombstone.
    pub fn push(&mut self, fields: &RecordFields<'_>, tombstone: bool, in_batch: bool) -> Result<()> {
        let flags = if in_batch { IN_BATCH } else { 0 };
        let offset = self.room_for(self.state.sealer.record_len(fields))?;
        if tombstone {
            self.state.sealer.tombstone(self.buffer, offset, self.generation, flags, fields);
        } else {
            self.state.sealer.record(self.buffer, offset, self.generation, flags, fields);
        }
        self.note(fields.key_hash, offset, tombstone)
    }

    /// Takes over a whole, verified frame of another file.
    pub fn adopt(&mut self, frame: &[u8], key_hash: u64, tombstone: bool) -> Result<()> {
        let offset = self.room_for(frame.len() as u64)?;
        self.state.sealer.adopt(self.buffer, offset, self.generation, key_hash, frame);
        self.note(key_hash, offset, tombstone)
    }

    fn room_for(&self, len: u64) -> Result<u64> {
        let offset = self.offset();
        let end = offset.saturating_add(len);
        if end > MAX_FILE_LEN {
            return Err(Error::TooLarge {
                what: "the shard",
                size: end,
                limit: MAX_FILE_LEN,
                remedy: "compact it, or lower maxBytes",
            });
        }
        Ok(offset)
    }

    fn note(&mut self, hash: u64, offset: u64, tombstone: bool) -> Result<()> {
        self.entries.push(Entry { hash, place: Place::new(offset, tombstone) });
        if self.buffer.len() >= WRITE_CHUNK {
            self.write()?;
        }
        Ok(())
    }

    /// Hands what is buffered to the file system.
    pub fn write(&mut self) -> Result<()> {
        self.state.view.file().write_at(self.buffer, self.at)?;
        self.at = self.offset();
        self.buffer.clear();
        Ok(())
    }

    /// Appends the frame that makes a batch of all that was pushed.
    pub fn commit_frame(&mut self) {
        let offset = self.offset();
        let frames = self.entries.len() as u64;
        self.state.sealer.commit(self.buffer, offset, self.generation, self.first, frames);
    }

    /// The same as `settle`, for one frame that was pushed just now. Nothing is read back: the page of the mapping that
    /// the frame lies in may be fresh, and the first touch of it costs more than the rest.
    pub fn settle_one(mut self, fields: &RecordFields<'_>, scratch: &mut Scratch) -> Result<Option<Entry>> {
        self.write()?;
        let state = self.state;
        state.view.extend_written(self.at);
        let entry = self.entries.pop();
        if let Some(entry) = entry {
            let replaced = state.change(fields.key, fields.key_hash, fields.producer, scratch);
            let added = (!entry.place.is_tombstone()).then(|| self.at.saturating_sub(self.first));
            state.count(replaced, added);
            // We sealed these bytes a moment ago.
            state.trust_own(entry.place.offset());
        }
        state.end = self.at;
        state.generation = self.generation;
        Ok(entry)
    }

    /// Takes the written frames into the index and the counts. Of several frames of one key and
    /// producer the last one counts.
    pub fn settle(mut self, scratch: &mut Scratch) -> Result<Vec<Entry>> {
        self.write()?;
        let state = self.state;
        state.view.extend_written(self.at);
        let entries = std::mem::take(&mut self.entries);
        let newest = match entries.len() {
            0 | 1 => entries,
            _ => merge::sort_and_dedup(entries, |a, b| state.same(a.place, b.place, scratch)),
        };
        let nothing_before = state.tables.is_empty() && state.tail.is_empty();
        let mut key = Vec::new();
        for entry in &newest {
            let Some(head) = state.head_at(entry.place.offset(), scratch) else {
                continue;
            };
            let replaced = if nothing_before {
                None
            } else {
                let Some(bytes) =
                    state.view.get(entry.place.offset(), head.layout().key_end, &mut scratch.frame)
                else {
                    continue;
                };
                key.clear();
                key.extend_from_slice(bytes.get(HEAD_LEN..).unwrap_or_default());
                state.change(&key, entry.hash, head.producer.get(), scratch)
            };
            let added = (!entry.place.is_tombstone()).then(|| head.length.get());
            state.count(replaced, added);
            // We sealed these bytes a moment ago.
            state.trust_own(entry.place.offset());
        }
        state.end = self.at;
        state.generation = self.generation;
        Ok(newest)
    }
}

/// Writes the next index snapshot: the tail, `fresh` entries that are not in the tail yet (newer than
/// all of it), and as many older snapshots as are small beside them.
pub(super) fn write_snapshot(
    state: &mut State,
    fresh: &[Entry],
    buffer: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    let tail = state.tail.sorted();
    let mut run = match (fresh.is_empty(), tail.is_empty()) {
        (true, _) => tail,
        (_, true) => fresh.to_vec(),
        _ => merge::merge(fresh, &tail, |a, b| state.same(a.place, b.place, scratch)),
    };
    let mut absorbed = 0;
    let mut sound = true;
    for table in &state.tables {
        let left = state.tables.len().saturating_sub(absorbed);
        let small = table.count <= MERGE_FACTOR.saturating_mul(run.len() as u64);
        if !small && left < MAX_TABLES {
            break;
        }
        match state.merged(&run, table, scratch) {
            Some(merged) => run = merged,
            None => {
                sound = false;
                break;
            }
        }
        absorbed = absorbed.saturating_add(1);
    }
    let older = if sound { state.tables.get(absorbed).map_or(0, |t| t.frame) } else { 0 };
    if !sound {
        run = state.live_by_scan(scratch);
    }
    if older == 0 {
        // Nothing lies beneath that a tombstone would have to hide.
        run.retain(|e| !e.place.is_tombstone());
    }
    buffer.clear();
    let about = About {
        offset: state.end,
        older,
        generation: state.generation,
        live_entries: state.live_entries,
        live_bytes: state.live_bytes,
    };
    encode(buffer, &state.sealer, &about, &run);
    let end = state.end.saturating_add(buffer.len() as u64);
    let written = state.view.file().write_at(buffer, state.end);
    shrink(buffer);
    written?;
    if !state.take_snapshot(about.offset, end) {
        return Err(Error::io(
            "pread",
            std::path::Path::new("the index snapshot just written"),
            std::io::ErrorKind::InvalidData.into(),
        ));
    }
    Ok(())
}

/// Gives back the memory of an unusually large write.
pub(super) fn shrink(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(WRITE_CHUNK.saturating_mul(2));
}
