//! The artifact store: metadata in an index, outputs in files beside it, read only when asked for.
//!
//! The index is a shard, so that it needs no loading and every process sees what others have flushed.
//! Changes stay in memory until `flush` commits them as one batch; `remove` and eviction unlink their
//! files then, too. Outputs go to their files at once. Order is everything: payloads are synced before the
//! rows that speak of them, files of removed rows go before the rows do. So a crash loses rows at most, and
//! each payload carries what it takes to make its row again (`recover.rs`).
//!
//! ```text
//! <dir>/index.shard, index.shard.lock    the index
//! <dir>/{key}_0, {key}_1, ...            outputs, one a file
//! <dir>/{key}.pack                       or all in one
//! <dir>/tmp/                             files being written, markers of unfinished work
//! ```

mod evict;
mod flush;
mod intent;
pub mod names;
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
use crate::header::Kind;
use crate::limits::{MAX_EXACT_USES, MAX_FILE_LEN};
use crate::shard::{Options, Shard};
use crate::state::Lookup;
use crate::storage::Storage;
use crate::storage::disk::Disk;
use crate::stores::blob::BlobFolder;
use crate::validator::Validator;
use intent::Intent;
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

/// A change that is not flushed.
#[derive(Debug, Clone)]
enum Change {
    Row {
        row: Row,
        /// Whether the payload carries this metadata already.
        described: bool,
    },
    Removed,
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
    /// Whether it has yet to be noted that payloads and rows were compared in this boot.
    compared: bool,
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
        options.index.check()?;
        let temporary = dir.join("tmp");
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
            compared: false,
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
        let payload = self.row(key)?.and_then(|row| row.payload);
        self.unmeasured = self.unmeasured.saturating_add(meta.total_size);
        self.change(key, Change::Row { row: Row { meta: Some(meta), payload }, described: false })
    }

    /// Stores the metadata of many; none of them if one is refused.
    ///
    /// # Errors
    /// As `insert`.
    pub fn insert_many(&mut self, rows: Vec<(String, Meta)>) -> Result<()> {
        for (key, meta) in &rows {
            names::check(key)?;
            meta.check()?;
        }
        rows.into_iter().try_for_each(|(key, meta)| self.insert(&key, meta))
    }

    /// The metadata of a key. Asks memory, then the index, then the files.
    ///
    /// # Errors
    /// `InvalidKey`; `Io` and others where a deferred index cannot be opened.
    pub fn get(&mut self, key: &str) -> Result<Option<Meta>> {
        names::check(key)?;
        let meta = match self.changes.get(key) {
            Some(Change::Row { row, .. }) => row.meta.clone(),
            Some(Change::Removed) => None,
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
        match self.changes.get(key) {
            Some(Change::Row { row, .. }) => Ok(Some(row.clone())),
            Some(Change::Removed) => Ok(None),
            None => match self.index.as_mut() {
                Some(index) => Ok(index.read_quietly(key.as_bytes())?.and_then(|bytes| Row::decode(&bytes))),
                None => Ok(None),
            },
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
        let Some(row) = self.row(key)? else { return Ok(false) };
        self.change(key, Change::Removed)?;
        self.uses.remove(key);
        Ok(row.meta.is_some())
    }

    /// Removes every key. Returns how many had metadata.
    ///
    /// # Errors
    /// As `remove`.
    pub fn clear(&mut self) -> Result<u64> {
        self.require_writable()?;
        let mut count = 0u64;
        for (key, _) in self.rows()? {
            count = count.saturating_add(u64::from(self.remove(&key)?));
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
        let mut rows = Vec::new();
        let changes = &self.changes;
        if let Some(index) = self.index.as_mut() {
            index.walk_quietly(|key, bytes| {
                let key = std::str::from_utf8(key).ok().filter(|key| !changes.contains_key(*key));
                rows.extend(key.and_then(|key| Some((key.to_owned(), Row::decode(bytes)?))));
                true
            });
        }
        for (key, change) in changes {
            if let Change::Row { row, .. } = change {
                rows.push((key.clone(), row.clone()));
            }
        }
        Ok(rows)
    }

    /// Notes a change, and what it does to the totals.
    fn change(&mut self, key: &str, change: Change) -> Result<()> {
        if self.totals.is_some() {
            let before = self.row(key)?;
            let after = match &change {
                Change::Row { row, .. } => Some(row),
                Change::Removed => None,
            };
            if let Some(totals) = &mut self.totals {
                totals.replace(before.as_ref(), after);
            }
        }
        self.changes.insert(key.to_owned(), change);
        Ok(())
    }

    fn note_use(&mut self, key: &str) {
        if self.uses.len() >= MAX_EXACT_USES {
            self.remember_uses();
            self.uses.clear();
        }
        let now = now_ns();
        match self.uses.get_mut(key) {
            Some(at) => *at = now,
            None => drop(self.uses.insert(key.to_owned(), now)),
        }
    }

    /// Tells the recency table of the index, for other processes and later ones.
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
        if let Some(index) = self.index.take() {
            index.close();
        }
    }
}
