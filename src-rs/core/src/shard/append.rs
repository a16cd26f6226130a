//! Appending frames to a file to which nobody else may append: the lock is held, or the file is this
//! handle's temporary file.
//!
//! Bytes below `state.end` are never written again. Frames are written in pieces; they do not count
//! until `state.end` has moved past them and they are published.

use super::behind::{Behind, Lent, Piece};
use crate::error::{Error, Result};
use crate::frame::{HEAD_LEN, Head, IN_BATCH, RECORD, RecordFields, TOMBSTONE};
use crate::index::snapshot::{About, encode};
use crate::index::{Entry, Place, merge};
use crate::limits::{LEND_FROM, MAX_FILE_LEN, MAX_TABLES, MERGE_FACTOR, WRITE_BEHIND_FROM, WRITE_CHUNK};
use crate::state::{Scratch, State};
use std::borrow::Cow;
use std::sync::Arc;

/// Appends frames to the end of a file.
pub(super) struct Appender<'a> {
    pub state: &'a mut State,
    pub buffer: &'a mut Vec<u8>,
    pub generation: u64,
    /// Offset in the file of the buffer's first byte.
    at: u64,
    /// Offset of the first frame.
    first: u64,
    /// All records and tombstones so far except the newest, oldest first.
    entries: Vec<Entry>,
    /// The newest one. It is kept apart so that a single change allocates nothing.
    newest: Option<Entry>,
    /// The records that the frames add to the shard.
    added: Sum,
    /// The records that they replace or delete.
    removed: Sum,
    scratch: Scratch,
    /// The thread that writes, once a batch is large.
    behind: Option<Behind>,
    /// Whether the file system gains from `File::reserve`.
    reserves: bool,
    /// Lent values of frames in the buffer, which are not in the buffer themselves.
    lent: Lent,
    lent_bytes: u64,
}

/// A number of records, and the bytes of their frames.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    entries: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.entries = self.entries.saturating_add(1);
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    fn take(&mut self, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.entries = self.entries.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}

impl<'a> Appender<'a> {
    pub fn new(state: &'a mut State, buffer: &'a mut Vec<u8>, generation: u64) -> Self {
        buffer.clear();
        let at = state.end;
        Appender {
            state,
            buffer,
            generation,
            at,
            first: at,
            entries: Vec::new(),
            newest: None,
            added: Sum::default(),
            removed: Sum::default(),
            scratch: Scratch::default(),
            behind: None,
            reserves: true,
            lent: Lent::new(),
            lent_bytes: 0,
        }
    }

    /// Offset of the piece that is being filled.
    pub fn piece(&self) -> u64 {
        self.at
    }

    /// Offset of the next frame.
    pub fn offset(&self) -> u64 {
        self.at.saturating_add(self.buffer.len() as u64).saturating_add(self.lent_bytes)
    }

    /// Number of records and tombstones so far.
    pub fn len(&self) -> usize {
        self.entries.len().saturating_add(usize::from(self.newest.is_some()))
    }

    /// Appends a record, or a tombstone.
    pub fn push(&mut self, fields: &RecordFields<'_>, tombstone: bool, in_batch: bool) -> Result<()> {
        let flags = if in_batch { IN_BATCH } else { 0 };
        let len = self.state.sealer.record_len(fields);
        let offset = self.room_for(len)?;
        let from = self.buffer.len();
        let kind = if tombstone { TOMBSTONE } else { RECORD };
        self.state.sealer.unsealed(kind, self.buffer, len, self.generation, flags, fields);
        self.appended(from, offset);
        let replaced = self.state.change(fields.key, fields.key_hash, fields.producer, &mut self.scratch);
        self.note(fields.key_hash, Place::new(offset, tombstone), len, replaced)
    }

    /// Appends a record of one part. If another thread already lays frames, and the value is not too small, that thread
    /// copies it, before `settle` returns or this is dropped. Returns whether the value was copied at once.
    pub fn push_lent(
        &mut self,
        fields: &RecordFields<'_>,
        value: &'static [u8],
        in_batch: bool,
    ) -> Result<bool> {
        let lends = self.behind.is_some() && value.len() >= LEND_FROM && fields.parts.len() == 1;
        if !lends {
            return self.push(fields, false, in_batch).map(|()| true);
        }
        let flags = if in_batch { IN_BATCH } else { 0 };
        let len = self.state.sealer.record_len(fields);
        let offset = self.room_for(len)?;
        let at = self.state.sealer.unsealed_around(self.buffer, len, self.generation, flags, fields);
        self.lent.push((at, value));
        self.lent_bytes = self.lent_bytes.saturating_add(value.len() as u64);
        let replaced = self.state.change(fields.key, fields.key_hash, fields.producer, &mut self.scratch);
        self.note(fields.key_hash, Place::new(offset, false), len, replaced).map(|()| false)
    }

    /// Appends a whole, verified frame of another file.
    pub fn adopt(&mut self, frame: &[u8], key_hash: u64, tombstone: bool) -> Result<()> {
        let len = frame.len() as u64;
        let offset = self.room_for(len)?;
        let from = self.buffer.len();
        self.state.sealer.adopt(self.buffer, self.generation, key_hash, frame);
        self.appended(from, offset);
        let head = Head::read(frame);
        let replaced = head.zip(head.and_then(|h| frame.get(HEAD_LEN..h.layout().key_end)));
        let replaced = replaced
            .and_then(|(head, key)| self.state.change(key, key_hash, head.producer.get(), &mut self.scratch));
        self.note(key_hash, Place::new(offset, tombstone), len, replaced)
    }

    fn room_for(&self, len: u64) -> Result<u64> {
        let offset = self.offset();
        let end = offset.saturating_add(len);
        if end > MAX_FILE_LEN {
            return Err(Error::Full { size: end, limit: MAX_FILE_LEN });
        }
        Ok(offset)
    }

    /// Seals the frame that begins at `from` in the buffer, unless another thread will do so.
    #[inline]
    fn appended(&mut self, from: usize, offset: u64) {
        if self.behind.is_none() {
            self.state.sealer.seal(self.buffer.get_mut(from..).unwrap_or_default(), offset);
        }
    }

    /// Notes a new frame, and the length of the record that it replaces. Writes the piece if it is full.
    fn note(&mut self, hash: u64, place: Place, len: u64, replaced: Option<u64>) -> Result<()> {
        self.entries.extend(self.newest.replace(Entry { hash, place }));
        self.removed.add(replaced);
        self.added.add((!place.is_tombstone()).then_some(len));
        let begun = if self.behind.is_some() { self.at % WRITE_CHUNK as u64 } else { 0 };
        if self.offset().saturating_sub(self.at).saturating_add(begun) >= WRITE_CHUNK as u64 {
            self.write_piece()?;
        }
        Ok(())
    }

    /// Writes the buffered frames, or has another thread do so if much was written already. Pieces end at multiples of
    /// `WRITE_CHUNK` in the file, where large pages of the page cache end; the bytes behind the last multiple stay buffered.
    fn write_piece(&mut self) -> Result<()> {
        let starts = self.behind.is_none() && self.at.saturating_sub(self.first) >= WRITE_BEHIND_FROM;
        if starts {
            let (file, sealer) = (Arc::clone(self.state.view.file()), self.state.sealer.of_many());
            self.behind = Behind::start(file, sealer, self.at);
        }
        if self.behind.is_some() {
            return self.hand_over(starts);
        }
        let over = usize::try_from(self.offset() % WRITE_CHUNK as u64).unwrap_or(0);
        let len = self.buffer.len().saturating_sub(over);
        let file = self.state.view.file();
        self.reserves = self.reserves && file.reserve(self.at, len as u64);
        file.write_at(self.buffer.get(..len).unwrap_or_default(), self.at)?;
        self.buffer.drain(..len);
        self.at = self.at.saturating_add(len as u64);
        Ok(())
    }

    /// Hands the buffered frames to the other thread. `sealed` if they were sealed here, before that thread was started.
    fn hand_over(&mut self, sealed: bool) -> Result<()> {
        let (at, end) = (self.at, self.offset());
        let (bytes, lent) = self.take_buffered();
        let piece = if sealed { Piece::laid(at, bytes) } else { Piece::new(at, bytes, lent) };
        if let Some(behind) = &mut self.behind {
            (*self.buffer, self.lent) = behind.write(piece)?.into_parts();
        }
        self.at = end;
        Ok(())
    }

    fn take_buffered(&mut self) -> (Vec<u8>, Lent) {
        self.lent_bytes = 0;
        (std::mem::take(self.buffer), std::mem::take(&mut self.lent))
    }

    /// Writes the remaining bytes, or hands them to the other thread if there is one.
    fn write(&mut self) -> Result<()> {
        let end = self.offset();
        if self.behind.is_some() {
            let (bytes, lent) = self.take_buffered();
            let piece = Piece::new(self.at, bytes, lent);
            self.behind.as_mut().map_or(Ok(()), |behind| behind.end(piece))?;
        } else {
            self.state.view.file().write_at(self.buffer, self.at)?;
        }
        self.at = end;
        self.buffer.clear();
        Ok(())
    }

    /// Appends the commit frame, which makes a batch of all frames so far.
    pub fn commit_frame(&mut self) {
        let offset = self.offset();
        let frames = self.len() as u64;
        self.state.sealer.commit(self.buffer, offset, self.generation, self.first, frames);
    }

    /// The same as `settle`, for a single frame.
    pub fn settle_one(mut self) -> Result<Option<Entry>> {
        self.write()?;
        self.state.view.could_read()?;
        let entry = self.newest.take();
        self.take_in(entry.as_slice());
        Ok(entry)
    }

    /// Writes the remaining frames, updates the state's counts and end, and returns the entries that belong in the
    /// index: of several frames of one key and producer, only the last. Unless there are such frames, nothing is
    /// read back from the mapping: its pages may be new, and the first access to one costs more than all the rest.
    pub fn settle(mut self) -> Result<Vec<Entry>> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.extend(self.newest.take());
        self.write()?;
        // Sort while the other thread writes the last pieces.
        merge::sort(&mut entries);
        if let Some(behind) = &mut self.behind {
            behind.finish()?;
        }
        self.state.view.extend_written(self.at);
        let mut shadowed = Vec::new();
        let newest = match entries.len() {
            0 | 1 => entries,
            _ => {
                let (state, scratch) = (&*self.state, &mut self.scratch);
                merge::dedup(entries, |a, b| {
                    let same = state.same(a.place, b.place, scratch);
                    if same {
                        shadowed.push(b);
                    }
                    same
                })
            }
        };
        for entry in shadowed {
            self.uncount(entry);
        }
        // The counts are wrong if frames of replaced records could not be read.
        self.state.view.could_read()?;
        self.take_in(&newest);
        Ok(newest)
    }

    /// Reverts what `note` counted for a frame that a later frame of the same batch replaces.
    fn uncount(&mut self, entry: Entry) {
        let state = &*self.state;
        let Some(head) = state.head_at(entry.place.offset(), &mut self.scratch) else { return };
        let mut key = Vec::new();
        let Some((producer, stored)) = state.identity_at(entry.place, &mut key) else { return };
        self.removed.take(state.change(stored, entry.hash, producer, &mut self.scratch));
        self.added.take((!entry.place.is_tombstone()).then(|| head.length.get()));
    }

    fn take_in(&mut self, newest: &[Entry]) {
        let state = &mut *self.state;
        state.view.extend_written(self.at);
        let counted =
            |live: u64, removed: u64, added: u64| live.saturating_sub(removed).saturating_add(added);
        state.live_entries = counted(state.live_entries, self.removed.entries, self.added.entries);
        state.live_bytes = counted(state.live_bytes, self.removed.bytes, self.added.bytes);
        for entry in newest {
            // This handle has just sealed them, so their digests need not be verified.
            state.trust_own(entry.place.offset());
        }
        state.end = self.at;
        state.generation = self.generation;
    }
}

/// Writes the next index snapshot: the tail, the `fresh` entries, which are newer than the tail and not in
/// it, and those older snapshots that are not much larger.
pub(super) fn write_snapshot(
    state: &mut State,
    fresh: &[Entry],
    buffer: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    let tail = state.tail.sorted();
    let mut run = match (fresh.is_empty(), tail.is_empty()) {
        (true, _) => Cow::Owned(tail),
        (_, true) => Cow::Borrowed(fresh),
        _ => Cow::Owned(merge::merge(fresh, &tail, |a, b| state.same(a.place, b.place, scratch))),
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
            Some(merged) => run = Cow::Owned(merged),
            None => {
                sound = false;
                break;
            }
        }
        absorbed = absorbed.saturating_add(1);
    }
    let older = if sound { state.tables.get(absorbed).map_or(0, |t| t.frame) } else { 0 };
    if !sound {
        run = Cow::Owned(state.live_by_scan(scratch));
    }
    if older == 0 && run.iter().any(|e| e.place.is_tombstone()) {
        // There is no older snapshot, so tombstones have nothing to hide.
        run.to_mut().retain(|e| !e.place.is_tombstone());
    }
    // If frames could not be read and compared, the run may contain an entry twice.
    state.view.could_read()?;
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
        return Err(Error::io("pread", state.view.file().path(), std::io::ErrorKind::InvalidData.into()));
    }
    Ok(())
}

/// Empties the buffer, and frees the memory of an unusually large write.
pub(super) fn shrink(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(WRITE_CHUNK.saturating_mul(2));
}
