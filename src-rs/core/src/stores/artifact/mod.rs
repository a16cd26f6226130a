//! The artifact store: metadata in an index, outputs in files beside it, read only when asked for.
//!
//! The index is a shard, so that it needs no loading and every process sees what others have flushed.
//! Changes stay in memory until `flush` commits them as one batch and unlinks the files of removed and
//! evicted keys. Outputs are written to their files at once. The order matters: payloads are synced before
//! the rows that refer to them, and files of removed rows are unlinked before the rows are removed. So a
//! crash loses rows at most, and each payload carries what is needed to rebuild its row (`recover.rs`).
//! Rows and payloads share a digest of the outputs, so that a row is never used with files of another put.
//!
//! ```text
//! <dir>/index.shard, index.shard.lock    the index
//! <dir>/{key}_0, {key}_1, ...            outputs, one a file
//! <dir>/{key}.pack                       or all in one
//! <dir>/.tmp/                            files being written, markers of unfinished work
//! ```

mod adopt;
mod change;
mod commit;
mod evict;
mod flush;
mod intent;
pub mod names;
mod note;
mod outputs;
pub mod payload;
mod recover;
pub mod row;
mod totals;

pub use outputs::Content;
pub use recover::Recovered;
pub use row::{Meta, PayloadInfo, Row, Stream};

use crate::clock::now_ns;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::limits::{DEFAULT_MAX_ENTRY_BYTES, MAX_EXACT_USES, MAX_FILE_LEN};
use crate::shard::{Options, Shard};
use crate::state::Lookup;
use crate::storage::Storage;
use crate::storage::disk::Disk;
use crate::stores::blob::BlobFolder;
use crate::validator::Validator;
use change::{Awaits, Change};
use intent::Intent;
use note::Note;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use totals::Totals;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct ArtifactOptions {
    /// How the index is opened: producer, trust, lock timeout. The store sets kind and sizes itself.
    pub index: Options,
    /// Whether the disk is not read until a call needs what is not in memory.
    pub deferred: bool,
    /// A flush evicts artifacts until the sum of their total sizes, in bytes, is at most this.
    pub max_bytes: u64,
}

/// See the module's head. One store belongs to one thread at a time; any number may be open on a folder.
#[derive(Debug)]
pub struct ArtifactStore {
    dir: PathBuf,
    temporary: PathBuf,
    storage: Arc<dyn Storage>,
    folder: Arc<BlobFolder>,
    options: ArtifactOptions,
    /// `None` until it is needed.
    index: Option<Shard>,
    changes: HashMap<String, Change>,
    /// Number and bytes of the artifacts that this handle sees, if they have been counted.
    totals: Option<Totals>,
    /// When keys were last used through this handle, in nanoseconds since the epoch.
    uses: HashMap<String, u64>,
    /// Held while payloads may lack their rows.
    intent: Option<Intent>,
    recovered: Recovered,
    /// The note that was last read or written, if payloads and rows were compared.
    note: Option<Note>,
    /// Whether outputs are only copied, never mapped.
    never_lend: bool,
    /// Number of buckets that was last requested for the recency table.
    buckets: u64,
    /// Bytes inserted since the store was last measured against `max_bytes`.
    unmeasured: u64,
}

impl ArtifactStore {
    /// Opens the store in a folder of the real disk. A missing one is empty.
    ///
    /// # Errors
    /// `InvalidArg`, `UntrustedFile`, `Io`, `NoSpace`.
    pub fn open(dir: &Path, options: ArtifactOptions) -> Result<Self> {
        let trust = options.index.trust;
        Self::open_on(Arc::new(Disk { trust }), dir, options)
    }

    /// The same on any storage.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_on(storage: Arc<dyn Storage>, dir: &Path, mut options: ArtifactOptions) -> Result<Self> {
        options.index.kind = Kind::Artifact;
        options.index.part_count = 1;
        // Only the store evicts rows, because it also removes their files. The shard's own bound must not apply.
        options.index.max_bytes = MAX_FILE_LEN / 4;
        // `Meta::check` alone limits sizes: a flush must not refuse what `insert` has accepted.
        options.index.max_entry_bytes = DEFAULT_MAX_ENTRY_BYTES;
        options.index.root = None;
        options.index.check()?;
        // No key and no namespace begins with a dot.
        let temporary = dir.join(".tmp");
        let mut it = ArtifactStore {
            folder: Arc::new(BlobFolder::new(Arc::clone(&storage), dir, &temporary)),
            dir: dir.to_path_buf(),
            temporary,
            storage,
            index: None,
            changes: HashMap::new(),
            totals: None,
            uses: HashMap::new(),
            intent: None,
            recovered: Recovered::default(),
            note: None,
            never_lend: false,
            buckets: 0,
            unmeasured: 0,
            options,
        };
        if !it.options.deferred {
            it.load()?;
        }
        Ok(it)
    }

    /// The folder of the store.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &ArtifactOptions {
        &self.options
    }

    /// The folder of the payload files.
    #[must_use]
    pub fn folder(&self) -> &Arc<BlobFolder> {
        &self.folder
    }

    /// What opening found and repaired.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Whether the index is open.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.index.is_some()
    }

    /// From now on outputs are copied, never mapped.
    pub fn never_lend(&mut self) {
        self.never_lend = true;
    }

    /// Number of changes that are not flushed yet.
    #[must_use]
    pub fn pending_changes(&self) -> u64 {
        self.changes.len() as u64
    }

    /// The index; opens it if necessary.
    fn index(&mut self) -> Result<&mut Shard> {
        self.load()?;
        self.index.as_mut().ok_or_else(|| Error::Closed(self.dir.clone()))
    }

    fn require_writable(&self) -> Result<()> {
        if self.options.index.read_only {
            return Err(Error::ReadOnly(self.dir.clone()));
        }
        Ok(())
    }

    /// The producer's number. `None` if the host build is not known: then nothing is served or stored.
    fn producer(&self) -> Option<u64> {
        self.options.index.producer.id()
    }

    /// Stores metadata under a key, in memory. The key keeps its outputs.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidArg`, `TooLarge`, `ReadOnly`.
    pub fn insert(&mut self, key: &str, meta: Meta) -> Result<()> {
        self.require_writable()?;
        names::check(key)?;
        meta.check()?;
        if self.producer().is_none() {
            return Ok(());
        }
        // Before the index is open this row comes from memory only; `load` adds the payload that is flushed.
        let before = self.row(key)?.unwrap_or_default();
        self.unmeasured = self.unmeasured.saturating_add(meta.total_size);
        let mut change = self.successor(key, Row { meta: Some(meta), payload: before.payload });
        let bare = before.payload.is_some() && before.meta.is_none();
        change.awaits = if bare || change.awaits == Awaits::Meta { Awaits::Nothing } else { Awaits::Outputs };
        self.change(key, change)
    }

    /// Stores the metadata of many keys, or of none if one of them is refused.
    ///
    /// # Errors
    /// As `insert`.
    pub fn insert_many(&mut self, rows: Vec<(String, Meta)>) -> Result<()> {
        for (number, (key, meta)) in rows.iter().enumerate() {
            let checked = names::check(key).and_then(|_| meta.check());
            checked.map_err(|error| error.of(format_args!("row {number}")))?;
        }
        rows.into_iter().try_for_each(|(key, meta)| self.insert(&key, meta))
    }

    /// The metadata of a key, from memory, else from the index, else from the payload files.
    ///
    /// # Errors
    /// `InvalidKey`; `Io` and others if a deferred index cannot be opened.
    pub fn get(&mut self, key: &str) -> Result<Option<Meta>> {
        names::check(key)?;
        let meta = match self.changed(key)? {
            Some(change) => change.row.as_ref().and_then(|row| row.meta.clone()),
            None => self.get_flushed(key)?,
        };
        if meta.is_some() {
            self.note_use(key);
        }
        Ok(meta)
    }

    fn get_flushed(&mut self, key: &str) -> Result<Option<Meta>> {
        let index = self.index()?;
        let found = index.get(key.as_bytes(), &Validator::None)?;
        let row = match found {
            Lookup::Hit(hit) => index.read_part(&hit, 0).and_then(|bytes| Row::decode(&bytes)),
            // From another host build.
            Lookup::Stale => return Ok(None),
            Lookup::Miss | Lookup::Corrupt => None,
        };
        match row {
            Some(row) => Ok(row.meta),
            // The process that wrote the files may have died before it flushed the row. An I/O error is a miss.
            None => Ok(self.adopt(key).unwrap_or_default().and_then(|row| row.meta)),
        }
    }

    /// The row of a key as this handle sees it: from memory, else from the open index. Not counted as a use.
    fn row(&mut self, key: &str) -> Result<Option<Row>> {
        match self.changed(key)? {
            Some(change) => Ok(change.row.clone()),
            None => self.flushed_row(key),
        }
    }

    /// The row in the index, if the index is open.
    fn flushed_row(&mut self, key: &str) -> Result<Option<Row>> {
        match self.index.as_mut() {
            Some(index) => Ok(index.read_quietly(key.as_bytes())?.and_then(|bytes| Row::decode(&bytes))),
            None => Ok(None),
        }
    }

    /// Removes a key; the next flush unlinks its files. Returns whether it had metadata.
    ///
    /// # Errors
    /// `InvalidKey`, `ReadOnly`; those of opening a deferred index.
    pub fn remove(&mut self, key: &str) -> Result<bool> {
        self.require_writable()?;
        names::check(key)?;
        self.load()?;
        let row = match self.changed(key)?.map(|change| change.row.clone()) {
            Some(row) => row,
            None => match self.flushed_row(key)? {
                // Otherwise a later `get` would rebuild the row from the files.
                None => self.adopt(key).unwrap_or_default(),
                row => row,
            },
        };
        let Some(row) = row else { return Ok(false) };
        self.doom(key, row.payload)?;
        Ok(row.meta.is_some())
    }

    /// Removes many keys, or none if one of them is invalid. Returns how many had metadata.
    ///
    /// # Errors
    /// As `remove`.
    pub fn remove_many(&mut self, keys: &[String]) -> Result<u32> {
        self.require_writable()?;
        for (number, key) in keys.iter().enumerate() {
            names::check(key).map_err(|error| error.of(format_args!("key {number}")))?;
        }
        keys.iter().try_fold(0, |count: u32, key| Ok(count.saturating_add(u32::from(self.remove(key)?))))
    }

    /// Removes every key. Returns how many had metadata.
    ///
    /// # Errors
    /// As `remove`; `Io` if the folder cannot be listed.
    pub fn clear(&mut self) -> Result<u64> {
        self.require_writable()?;
        self.load()?;
        self.find_payloads()?;
        let mut count = 0u64;
        for (key, row) in self.rows()? {
            self.doom(&key, row.payload)?;
            count = count.saturating_add(u64::from(row.meta.is_some()));
        }
        Ok(count)
    }

    /// Every key with its metadata; flushed ones first, oldest first.
    ///
    /// # Errors
    /// Those of opening a deferred index.
    pub fn load_all(&mut self) -> Result<Vec<(String, Meta)>> {
        let rows = self.rows()?;
        Ok(rows.into_iter().filter_map(|(key, row)| Some((key, row.meta?))).collect())
    }

    /// Every row that this handle sees; flushed ones first.
    fn rows(&mut self) -> Result<Vec<(String, Row)>> {
        self.load()?;
        self.yield_to_index()?;
        let mut rows = Vec::new();
        let changes = &self.changes;
        if let Some(index) = self.index.as_mut() {
            index.walk_quietly(|key, bytes| {
                if !changes.contains_key(key) {
                    rows.extend(Row::decode(bytes).map(|row| (key.to_owned(), row)));
                }
                true
            })?;
        }
        let flushed = rows.len();
        let unflushed = |(key, change): (&String, &Change)| Some((key.clone(), change.row.clone()?));
        rows.extend(changes.iter().filter_map(unflushed));
        let order = |row: &Row| row.meta.as_ref().map_or(0, |meta| meta.stored_ns);
        rows.get_mut(flushed..)
            .unwrap_or_default()
            .sort_unstable_by(|(a, x), (b, y)| (order(x), a).cmp(&(order(y), b)));
        Ok(rows)
    }

    fn note_use(&mut self, key: &str) {
        let now = now_ns();
        // For other and later processes, and only as exact as the recency table is.
        if let Some(index) = &self.index {
            index.note_use(key.as_bytes(), now / 1_000_000);
        }
        if let Some(at) = self.uses.get_mut(key) {
            *at = now;
            return;
        }
        if self.uses.len() >= MAX_EXACT_USES {
            self.uses.clear();
        }
        self.uses.insert(key.to_owned(), now);
    }

    /// Writes all remembered uses to the recency table, including those from before the index had one.
    fn remember_uses(&self) {
        if let Some(index) = &self.index {
            for (key, at) in &self.uses {
                index.note_use(key.as_bytes(), at / 1_000_000);
            }
        }
    }

    /// Flushes and closes the store. If the flush fails, the next open finds the payloads without rows.
    pub fn close(mut self) {
        if !self.options.index.read_only {
            let _ = self.flush();
        }
        self.remember_uses();
        if let Some(index) = self.index.as_mut() {
            // A background compaction may have replaced the index's file, which the note names.
            index.stop_background();
            self.write_note();
        }
        if let Some(index) = self.index.take() {
            index.close();
        }
    }
}
