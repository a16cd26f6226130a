//! Opening a file, following what other handles publish, and recovering a file that no valid page describes.

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

/// The result of opening a file.
#[derive(Debug)]
pub enum Loading {
    /// It is a shard.
    Loaded(Box<State>),
    /// It reads as an empty shard.
    Rejected(Rejected),
}

impl State {
    /// Reads the header of an open file, but no frames yet: `follow` or `recover` must be called next.
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

    /// Reads the chain of index snapshots from the newest to the oldest. `None` if a link is broken, or a
    /// delta that is checked now is damaged. The oldest snapshot is not checked, because that would take
    /// time in proportion to the shard. Damage in it can only hide entries: there is nothing older to uncover.
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

    /// Catches up with what is published. Returns `false` if that is not possible: the file was replaced or
    /// recovered, is shorter than it should be, or its index is damaged.
    ///
    /// # Errors
    /// `Io` if a system call fails; then this state may be a mixture of old and new, and must be dropped.
    pub fn follow(&mut self, news: &Published, scratch: &mut Scratch) -> Result<bool> {
        Ok(self.check_deltas() && self.follow_as(news, scratch, Check::Deltas)?)
    }

    /// The same, checking new snapshots as `check` says.
    pub(super) fn follow_as(
        &mut self,
        news: &Published,
        scratch: &mut Scratch,
        check: Check,
    ) -> Result<bool> {
        self.view.ask_again();
        // What was read before a recovery may have been cut off or overwritten since.
        if self.end > HEADER_LEN && self.epoch != Some(news.epoch) {
            return Ok(false);
        }
        // If the published length has gone back, the tail has entries that other writers may overwrite.
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

    /// Replaces the index by a chain of snapshots, with an empty tail.
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

    /// Finds out what the file itself contains. Every frame from the newest durable root on, or from the
    /// start, is read. Frames behind what that root covers, and behind `trusted_to` (a length that was
    /// published in this boot), are verified. Afterwards `end` is where the last frame that counts ends;
    /// bytes behind it are useless. Returns the rejected frames, for `blank`.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn recover(&mut self, trusted_to: u64, scratch: &mut Scratch) -> Result<Vec<u64>> {
        let file_len = self.view.file().identity()?.len;
        self.view.extend_written(file_len);
        self.view.ask_again();
        self.take_chain(Vec::new());
        // What was verified may have been overwritten since.
        self.verified.clear();
        self.ready.clear();
        (self.live_entries, self.live_bytes, self.generation) = (0, 0, self.header.generation);
        // A file that was cut may end anywhere, but frames end at multiples of 16.
        let mut durable_to = crate::frame::align(trusted_to.min(file_len));
        let possible = |r: &Root| r.committed <= file_len && r.committed.is_multiple_of(ALIGN);
        if let Some(root) = self.root.filter(possible) {
            durable_to = durable_to.max(root.committed);
            self.generation = self.generation.max(root.generation);
            // If the index is damaged, the frames are read from the start.
            if let Some(tables) = self.chain(root.snapshot, root.committed, Check::Deltas) {
                self.take_chain(tables);
            }
        }
        let (end, rejected) = self.adopt(self.end, file_len, durable_to, scratch);
        self.view.could_read()?;
        self.end = end.max(durable_to);
        Ok(rejected)
    }

    /// Makes rejected frames invalid for good. The caller holds the lock. No handle has accepted these
    /// frames or will: their digest fails, or their batch is incomplete.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails.
    pub fn blank(&self, rejected: &[u64]) -> Result<()> {
        let file = self.view.file();
        // What lies behind the end will be cut off anyway.
        let mut kept = rejected.iter().filter(|offset| **offset < self.end);
        kept.try_for_each(|offset| file.write_at(&[0; 8], *offset))
    }

    /// Adopts complete frames behind the published length: a writer died between writing and
    /// publishing them, and a reader may have read them already.
    ///
    /// Returns the rejected frames, for `blank`.
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

    /// Puts a frame into the tail and updates the counts of live entries and bytes.
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

    /// Length of the live record that a new frame of this key and producer would replace.
    #[must_use]
    pub fn change(&self, key: &[u8], hash: u64, producer: u64, scratch: &mut Scratch) -> Option<u64> {
        match self.find(key, hash, producer, scratch) {
            Found::Record(frame) => self.head_at(frame, scratch).map(|h| h.length.get()),
            _ => None,
        }
    }

    /// Updates the counts for a removed and an added record, each given by the length of its frame.
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

    /// Uses a snapshot that this handle has just written as the newest. Returns whether it could be read.
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

    /// What a page should say about this state.
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

    /// Every entry of the index, without tombstones, sorted by hash. `None` if an index snapshot is
    /// damaged.
    #[must_use]
    pub fn live_index(&self, scratch: &mut Scratch) -> Option<Vec<Entry>> {
        let mut all = self.tail.sorted();
        for table in &self.tables {
            all = self.merged(&all, table, scratch)?;
        }
        all.retain(|e| !e.place.is_tombstone());
        Some(all)
    }

    /// A run of entries merged with those of an older table. `None` if the table is damaged.
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

    /// Every live entry, found by reading the frames alone, for when the index is damaged.
    #[must_use]
    pub fn live_by_scan(&self, scratch: &mut Scratch) -> Vec<Entry> {
        let scan = Scan::new(&self.view, &self.sealer, HEADER_LEN, self.end);
        let mut all: Vec<Entry> = scan.filter_map(|s| entry_of(&s)).collect();
        crate::index::merge::sort(&mut all);
        let mut live = crate::index::merge::dedup(all, |a, b| self.same(a.place, b.place, scratch));
        live.retain(|e| !e.place.is_tombstone());
        live
    }

    /// Every live entry: from the index, or from the frames if the index is damaged.
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
