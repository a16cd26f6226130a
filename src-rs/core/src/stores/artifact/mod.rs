//! The artifact store: metadata in an index, outputs in files beside it, read only when asked for.
//!
//! The index is a shard, so that it needs no loading and every process sees what others have flushed.
//! Changes stay in memory until `flush` commits them as one batch; `remove` and eviction unlink their
//! files then, too. Outputs go to their files at once. Order is everything: payloads are synced before the
//! rows that speak of them, files of removed rows go before the rows do. So a crash loses rows at most, and
//! each payload carries what it takes to make its row again (`recover.rs`). Rows and payloads are bound by
//! a digest of the outputs: a row never passes for that of another put.
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
    /// How its index is opened: the producer, trust, waiting. Kind and sizes are the store's own.
    pub index: Options,
    /// Nothing is looked at until somebody asks for what is not in memory.
    pub deferred: bool,
    /// A flush brings the artifacts back under this sum of their total sizes, in bytes.
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
    /// Count and bytes of what this handle sees, if they are known.
    totals: Option<Totals>,
    /// When keys were last used through this handle, in nanoseconds since the epoch.
    uses: HashMap<String, u64>,
    /// Held while payloads may lack their rows.
    intent: Option<Intent>,
    recovered: Recovered,
    /// The note that was last read or written, if payloads and rows were compared.
    note: Option<Note>,
    /// Whether outputs may not be mapped.
    never_lend: bool,
    /// What the recency table was asked to have room for.
    buckets: u64,
    /// Bytes inserted since somebody last looked whether there are too many.
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
        // Rows leave by eviction, which takes their files along, never by the shard's own bound.
        options.index.max_bytes = MAX_FILE_LEN / 4;
        // `Meta::check` has the last word on sizes: a flush must not stumble over what `insert` took.
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

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &ArtifactOptions {
        &self.options
    }

    /// The files of the outputs.
    #[must_use]
    pub fn folder(&self) -> &Arc<BlobFolder> {
        &self.folder
    }

    /// What opening found and mended.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Whether the index is open.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.index.is_some()
    }

    /// From now on outputs are only copied.
    pub fn never_lend(&mut self) {
        self.never_lend = true;
    }

    /// Changes that are not flushed.
    #[must_use]
    pub fn pending_changes(&self) -> u64 {
        self.changes.len() as u64
    }

    /// The index, opened now if it was not.
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

    /// The number of the producer; `None` where it cannot be told, and so nothing is served or stored.
    fn producer(&self) -> Option<u64> {
        self.options.index.producer.id()
    }

    /// Stores metadata under a key, in memory. Files that the key has stay its files.
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
        // Before loading only memory is asked; `load` fills in the files of the rows that were there.
        let before = self.row(key)?.unwrap_or_default();
        self.unmeasured = self.unmeasured.saturating_add(meta.total_size);
        let mut change = self.successor(key, Row { meta: Some(meta), payload: before.payload });
        let bare = before.payload.is_some() && before.meta.is_none();
        change.awaits = if bare || change.awaits == Awaits::Meta { Awaits::Nothing } else { Awaits::Outputs };
        self.change(key, change)
    }

    /// Stores the metadata of many; none of them if one is refused.
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

    /// The metadata of a key. Asks memory, then the index, then the files.
    ///
    /// # Errors
    /// `InvalidKey`; `Io` and others where a deferred index cannot be opened.
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
            // Another host build's.
            Lookup::Stale => return Ok(None),
            Lookup::Miss | Lookup::Corrupt => None,
        };
        match row {
            Some(row) => Ok(row.meta),
            // Whoever wrote the files may have died before the row; a system that refuses is a miss.
            None => Ok(self.adopt(key).unwrap_or_default().and_then(|row| row.meta)),
        }
    }

    /// The row of a key as this handle sees it, quietly: from memory, else from the index if that is open.
    fn row(&mut self, key: &str) -> Result<Option<Row>> {
        match self.changed(key)? {
            Some(change) => Ok(change.row.clone()),
            None => self.flushed_row(key),
        }
    }

    /// The row that the index has, if it is open.
    fn flushed_row(&mut self, key: &str) -> Result<Option<Row>> {
        match self.index.as_mut() {
            Some(index) => Ok(index.read_quietly(key.as_bytes())?.and_then(|bytes| Row::decode(&bytes))),
            None => Ok(None),
        }
    }

    /// Removes a key; its files go with the next flush. Returns whether it had metadata.
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
                // Else `get` would find what was removed.
                None => self.adopt(key).unwrap_or_default(),
                row => row,
            },
        };
        let Some(row) = row else { return Ok(false) };
        self.doom(key, row.payload)?;
        Ok(row.meta.is_some())
    }

    /// Removes many keys, none where one of them cannot be a key. Returns how many had metadata.
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
    /// As `remove`; `Io` where the folder cannot be looked through.
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

    /// Every row that this handle sees.
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
        // For other processes, and later ones.
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

    /// Tells the recency table what was used, a part of which may have been before there was one.
    fn remember_uses(&self) {
        if let Some(index) = &self.index {
            for (key, at) in &self.uses {
                index.note_use(key.as_bytes(), at / 1_000_000);
            }
        }
    }

    /// Ends the use of the store. What could not be flushed is found by whoever opens it next.
    pub fn close(mut self) {
        if !self.options.index.read_only {
            let _ = self.flush();
        }
        self.remember_uses();
        if let Some(index) = self.index.as_mut() {
            // Compaction may have put another file in the index's place.
            index.stop_background();
            self.write_note();
        }
        if let Some(index) = self.index.take() {
            index.close();
        }
    }
}
