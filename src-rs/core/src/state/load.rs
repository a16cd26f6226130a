//! Opening a file, following what others publish, and recovering what nobody vouches for.

use super::bits::Bits;
use super::scan::{Scan, Step, Walk};
use super::unchecked::Check;
use super::view::View;
use super::{Found, Scratch, State};
use crate::digest::{Digest, Seed};
use crate::error::Result;
use crate::frame::{HEAD_LEN, RECORD, Sealer, TOMBSTONE};
use crate::header::{Header, Rejected, Root};
use crate::index::snapshot::{RAW_LEN, Table};
use crate::index::tail::Tail;
use crate::index::{Entry, Place};
use crate::kind::Kind;
use crate::limits::{ALIGN, HEADER_LEN, MAX_TABLES};
use crate::sidecar::Published;
use crate::storage::File;
use std::sync::Arc;

/// What opening a file came to.
#[derive(Debug)]
pub enum Loading {
    /// It is a shard.
    Loaded(Box<State>),
    /// It reads as an empty one.
    Rejected(Rejected),
}

impl State {
    /// Reads the header of an open file. The frames are not looked at yet: `follow` or `recover`
    /// must come next.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn open(file: Arc<dyn File>, mapped: bool, kind: Kind, want: Option<&Digest>) -> Result<Loading> {
        let identity = file.identity()?;
        let mut view = View::new(file, mapped);
        view.extend_written(identity.len);
        let mut scratch = Vec::new();
        let len = usize::try_from(identity.len.min(HEADER_LEN)).unwrap_or(0);
        let block = view.get(0, len, &mut scratch).unwrap_or_default();
        view.could_read()?;
        let header = match Header::decode(block, want) {
            Ok(header) if header.kind != kind => {
                return Ok(Loading::Rejected(Rejected::Kind(Some(header.kind))));
            }
            Ok(header) => header,
            Err(why) => return Ok(Loading::Rejected(why)),
        };
        let seed = header.check_seed();
        let root = Root::decode_all(block, seed).first().copied();
        let sealer = Sealer::new(seed, header.digest.clone());
        Ok(Loading::Loaded(Box::new(State {
            generation: header.generation,
            keys: Seed::new(header.seed),
            verified: Bits::new(&header.digest),
            ready: Bits::new(&header.digest),
            header,
            sealer,
            view,
            identity,
            tables: Vec::new(),
            tail: Tail::default(),
            tail_from: HEADER_LEN,
            end: HEADER_LEN,
            epoch: None,
            live_entries: 0,
            live_bytes: 0,
            root,
            unchecked: false,
        })))
    }

    /// Reads the chain of index snapshots from the newest. `None` where a link is broken or a delta
    /// damaged that is checked here. The oldest is not checked whole, which would cost time in proportion
    /// to the shard; damage there can only hide entries, for nothing older lies beneath it.
    fn chain(&self, newest: u64, end: u64, check: Check) -> Option<Vec<Table>> {
        let mut tables: Vec<Table> = Vec::new();
        let mut scratch = Vec::new();
        let mut at = newest;
        while at != 0 {
            if tables.len() >= MAX_TABLES {
                return None;
            }
            if let Some(known) = self.tables.iter().position(|t| t.frame == at) {
                tables.extend(self.tables.iter().skip(known));
                break;
            }
            let bytes = self.view.get(at, HEAD_LEN + RAW_LEN, &mut scratch)?;
            let table = Table::read(bytes, at, &self.sealer, end)?;
            if check.is_due(&table) && !self.is_whole(&table, &mut scratch) {
                return None;
            }
            at = table.older;
            tables.push(table);
        }
        (tables.len() <= MAX_TABLES).then_some(tables)
    }

    /// Catches up with what is published. Returns whether that was possible: not where the file is
    /// shorter than it should be or than we have read it, or its index is damaged.
    ///
    /// # Errors
    /// `Io` if a system call fails; what is known then may be neither the old nor the new.
    pub fn follow(&mut self, news: &Published, scratch: &mut Scratch) -> Result<bool> {
        Ok(self.check_deltas() && self.follow_as(news, scratch, Check::Deltas)?)
    }

    /// The same, with the deltas checked so far.
    pub(super) fn follow_as(
        &mut self,
        news: &Published,
        scratch: &mut Scratch,
        check: Check,
    ) -> Result<bool> {
        self.view.ask_again();
        // What was read before a recovery may have been cut off or written over since.
        if self.end > HEADER_LEN && self.epoch != Some(news.epoch) {
            return Ok(false);
        }
        // A published length that went back would leave entries in the tail that others write over.
        if news.shard_id != self.header.shard_id
            || news.committed < self.end.max(HEADER_LEN)
            || !news.committed.is_multiple_of(ALIGN)
        {
            return Ok(false);
        }
        if news.committed > self.view.readable() && self.view.extend(news.committed)? < news.committed {
            return Ok(false);
        }
        if news.snapshot != self.snapshot() {
            let Some(tables) = self.chain(news.snapshot, news.committed, check) else {
                self.view.could_read()?;
                return Ok(false);
            };
            self.take_chain(tables);
        }
        let from = self.end;
        if news.committed > from {
            self.read_tail(from, news.committed, scratch);
        }
        self.view.could_read()?;
        self.end = news.committed;
        self.generation = news.generation;
        self.epoch = Some(news.epoch);
        self.live_entries = news.live_entries;
        self.live_bytes = news.live_bytes;
        Ok(true)
    }

    /// Starts over from a chain of snapshots, with an empty tail.
    fn take_chain(&mut self, tables: Vec<Table>) {
        self.tail_from = tables.first().map_or(HEADER_LEN, Table::end);
        if let Some(newest) = tables.first() {
            self.live_entries = newest.live_entries;
            self.live_bytes = newest.live_bytes;
        }
        self.tables = tables;
        self.unchecked = false;
        self.tail.clear();
        self.end = self.tail_from;
    }

    fn read_tail(&mut self, from: u64, to: u64, scratch: &mut Scratch) {
        let mut walk = Walk::new(&self.view, from, to, to);
        while let Some(step) = walk.next(&self.view, &self.sealer) {
            if let Some(entry) = entry_of(&step) {
                self.remember(entry, scratch);
            }
        }
    }

    /// Takes the file for what it is: from the newest durable root, or from the start, every frame is
    /// read, and verified where neither that root nor `trusted_to` (a length that was published in
    /// this boot) vouches for it. Afterwards `end` is where the last frame that counts ends; bytes
    /// behind it are of no use to anyone. Returns the frames that were rejected, for `blank`.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn recover(&mut self, trusted_to: u64, scratch: &mut Scratch) -> Result<Vec<u64>> {
        let file_len = self.view.file().identity()?.len;
        self.view.extend_written(file_len);
        self.view.ask_again();
        self.take_chain(Vec::new());
        // What was verified may have been written over since.
        self.verified.clear();
        self.ready.clear();
        (self.live_entries, self.live_bytes, self.generation) = (0, 0, self.header.generation);
        // A cut file may end anywhere; frames do not.
        let mut durable_to = crate::frame::align(trusted_to.min(file_len));
        let possible = |r: &Root| r.committed <= file_len && r.committed.is_multiple_of(ALIGN);
        if let Some(root) = self.root.filter(possible) {
            durable_to = durable_to.max(root.committed);
            self.generation = self.generation.max(root.generation);
            // Where the index is broken, the frames are read from the start.
            if let Some(tables) = self.chain(root.snapshot, root.committed, Check::Deltas) {
                self.take_chain(tables);
            }
        }
        let (end, rejected) = self.adopt(self.end, file_len, durable_to, scratch);
        self.view.could_read()?;
        self.end = end.max(durable_to);
        Ok(rejected)
    }

    /// Makes rejected frames unreadable for good. The caller holds the lock, and nobody has accepted
    /// these frames, nor will: their digest fails, or their batch is not whole.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails.
    pub fn blank(&self, rejected: &[u64]) -> Result<()> {
        let file = self.view.file();
        // What lies behind the end is cut off.
        let mut kept = rejected.iter().filter(|offset| **offset < self.end);
        kept.try_for_each(|offset| file.write_at(&[0; 8], *offset))
    }

    /// Takes in complete frames behind the published length: a writer died between writing and
    /// publishing them, and somebody may have read them already.
    ///
    /// Returns the frames that were rejected, for `blank`.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn adopt_unpublished(&mut self, scratch: &mut Scratch) -> Result<Vec<u64>> {
        let file_len = self.view.file().identity()?.len;
        self.view.extend_written(file_len);
        self.view.ask_again();
        let (end, rejected) = self.adopt(self.end, file_len, self.end, scratch);
        self.view.could_read()?;
        self.end = end;
        Ok(rejected)
    }

    fn adopt(&mut self, from: u64, to: u64, doubt_from: u64, scratch: &mut Scratch) -> (u64, Vec<u64>) {
        let mut walk = Walk::new(&self.view, from, to, doubt_from);
        while let Some(step) = walk.next(&self.view, &self.sealer) {
            self.generation = self.generation.max(step.head.generation.get());
            self.apply(&step, scratch);
        }
        (walk.end(), walk.into_rejected())
    }

    /// Puts a frame into the tail and keeps the count of what lives.
    fn apply(&mut self, step: &Step, scratch: &mut Scratch) {
        let Some(entry) = entry_of(step) else { return };
        let mut key = Vec::new();
        match self.identity_at(entry.place, &mut key) {
            Some((producer, stored)) => {
                let stored = stored.to_vec();
                let change = self.change(&stored, entry.hash, producer, scratch);
                let added = (!entry.place.is_tombstone()).then(|| step.head.length.get());
                self.count(change, added);
            }
            None => return,
        }
        self.remember(entry, scratch);
    }

    /// Bytes of the live record that a new frame of this key and producer would replace.
    #[must_use]
    pub fn change(&self, key: &[u8], hash: u64, producer: u64, scratch: &mut Scratch) -> Option<u64> {
        match self.find(key, hash, producer, scratch) {
            Found::Record(frame) => self.head_at(frame, scratch).map(|h| h.length.get()),
            _ => None,
        }
    }

    /// Counts one live record less, and one more.
    pub fn count(&mut self, removed: Option<u64>, added: Option<u64>) {
        if let Some(len) = removed {
            self.live_entries = self.live_entries.saturating_sub(1);
            self.live_bytes = self.live_bytes.saturating_sub(len);
        }
        if let Some(len) = added {
            self.live_entries = self.live_entries.saturating_add(1);
            self.live_bytes = self.live_bytes.saturating_add(len);
        }
    }

    /// Takes a snapshot that we have just written for the newest.
    pub fn take_snapshot(&mut self, offset: u64, end: u64) -> bool {
        self.view.extend_written(end);
        let Some(tables) = self.chain(offset, end, Check::Deltas) else {
            return false;
        };
        let (entries, bytes) = (self.live_entries, self.live_bytes);
        self.take_chain(tables);
        (self.live_entries, self.live_bytes) = (entries, bytes);
        true
    }

    /// What a page should say of this state.
    #[must_use]
    pub fn published(&self) -> Published {
        Published {
            generation: self.generation,
            shard_id: self.header.shard_id,
            committed: self.end,
            snapshot: self.snapshot(),
            live_entries: self.live_entries,
            live_bytes: self.live_bytes,
            epoch: self.epoch.unwrap_or(0),
        }
    }

    /// Every entry of the index, tombstones left out, sorted by hash. `None` where an index snapshot
    /// is damaged.
    #[must_use]
    pub fn live_index(&self, scratch: &mut Scratch) -> Option<Vec<Entry>> {
        let mut all = self.tail.sorted();
        for table in &self.tables {
            all = self.merged(&all, table, scratch)?;
        }
        all.retain(|e| !e.place.is_tombstone());
        Some(all)
    }

    /// A run of entries with those of an older table merged in; `None` where that is damaged.
    #[must_use]
    pub fn merged(&self, newer: &[Entry], table: &Table, scratch: &mut Scratch) -> Option<Vec<Entry>> {
        let len = usize::try_from(table.frame_len).ok()?;
        let mut buffer = Vec::new();
        let frame = self.view.get(table.frame, len, &mut buffer)?;
        if !self.sealer.verify(frame, table.frame) {
            return None;
        }
        let older = table.entries(frame)?;
        Some(crate::index::merge::merge(newer, &older, |a, b| self.same(a.place, b.place, scratch)))
    }

    /// The same from the frames alone, for when the index is damaged.
    #[must_use]
    pub fn live_by_scan(&self, scratch: &mut Scratch) -> Vec<Entry> {
        let scan = Scan::new(&self.view, &self.sealer, HEADER_LEN, self.end);
        let mut all: Vec<Entry> = scan.filter_map(|s| entry_of(&s)).collect();
        crate::index::merge::sort(&mut all);
        let mut live = crate::index::merge::dedup(all, |a, b| self.same(a.place, b.place, scratch));
        live.retain(|e| !e.place.is_tombstone());
        live
    }

    /// Every live entry, by whichever way works.
    #[must_use]
    pub fn live(&self, scratch: &mut Scratch) -> Vec<Entry> {
        match self.live_index(scratch) {
            Some(live) => live,
            None => self.live_by_scan(scratch),
        }
    }
}

fn entry_of(step: &Step) -> Option<Entry> {
    let tombstone = match step.head.kind {
        RECORD => false,
        TOMBSTONE => true,
        _ => return None,
    };
    Some(Entry { hash: step.head.key_hash.get(), place: Place::new(step.offset, tombstone) })
}
