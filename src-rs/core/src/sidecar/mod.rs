//! The sidecar, `<shard>.lock`: the file that is locked, with the page through which processes tell
//! each other what is published.
//!
//! The page is valid *for one boot*: it names the shard file, how many of its bytes are published, and
//! where the newest index snapshot lies. A page of another boot is not believed, because the file may
//! have lost bytes in between. Then the file's own root slots and frames decide.

pub mod page;
mod recency;
mod turn;

use crate::clock::now_ms;
use crate::error::Result;
use crate::limits::RECENCY_BITS;
use crate::mapping::SharedWords;
use crate::storage::refusal::Refusal;
use crate::storage::{File, Identity};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use page::word;
pub use page::{Durable, Page, Published, Words};
use recency::table_len;

/// Bytes before the recency table.
const PAGE: usize = 4096;

/// Offset of the generation in the page, in bytes.
pub const GENERATION_AT: usize = page::word::GENERATION * 8;

/// The words of an open sidecar.
pub struct Place {
    file: Arc<dyn File>,
    /// If this is `None`, each word is read from the file and written to it.
    mapping: Option<SharedWords>,
    refusal: Refusal,
}

impl Words for Place {
    #[inline(always)]
    fn load(&self, index: usize, order: Ordering) -> u64 {
        match &self.mapping {
            Some(words) => words.word(index).map_or(0, |w| w.load(order)),
            None => self.load_from_file(index),
        }
    }

    fn store(&self, index: usize, value: u64, order: Ordering) {
        match &self.mapping {
            Some(words) if words.writable() => {
                if let Some(word) = words.word(index) {
                    word.store(value, order);
                }
            }
            Some(_) => {}
            None => {
                let written = self.file.write_at(&value.to_le_bytes(), (index as u64).saturating_mul(8));
                written.unwrap_or_else(|error| self.refusal.note(error));
            }
        }
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }
}

impl Place {
    #[cold]
    fn load_from_file(&self, index: usize) -> u64 {
        let mut bytes = [0; 8];
        match self.file.read_at(&mut bytes, (index as u64).saturating_mul(8)) {
            Ok(8) => u64::from_le_bytes(bytes),
            Ok(_) => 0,
            Err(error) => {
                self.refusal.note(error);
                0
            }
        }
    }
}

/// An open sidecar. It dereferences to its page.
pub struct Sidecar {
    path: PathBuf,
    page: Page<Place>,
    /// Whether the page may be mapped.
    mapped: bool,
    writable: bool,
    identity: Identity,
}

impl std::fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sidecar").field("path", &self.path).finish_non_exhaustive()
    }
}

impl std::ops::Deref for Sidecar {
    type Target = Page<Place>;

    #[inline(always)]
    fn deref(&self) -> &Page<Place> {
        &self.page
    }
}

/// The sidecar's path.
#[must_use]
pub fn path_for(shard: &Path) -> PathBuf {
    let mut path = shard.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

impl Sidecar {
    /// Opens the page of a sidecar file. If it is not to be mapped (`mapped` is false), or cannot be,
    /// each access to a word is a positioned read or write.
    ///
    /// # Errors
    /// `Io` if a system call fails.
    pub fn open(path: &Path, file: Arc<dyn File>, writable: bool, mapped: bool, boot: u64) -> Result<Self> {
        let identity = file.identity()?;
        let len = identity.len;
        let mapping = if mapped && len >= PAGE as u64 { file.words(len, writable) } else { None };
        let page = Page::new(Place { file, mapping, refusal: Refusal::default() }, boot);
        Ok(Sidecar { path: path.to_path_buf(), page, mapped, writable, identity })
    }

    /// Gives a new sidecar, or one of another layout, its layout. The caller holds the lock.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call fails.
    pub fn initialise(&mut self) -> Result<()> {
        let len = (PAGE + table_len(*RECENCY_BITS.start())) as u64;
        if self.file().identity()?.len < len {
            self.file().allocate(len)?;
        }
        if self.page.words.mapping.is_none() && self.mapped {
            self.page.words.mapping = self.file().words(len, true);
        }
        let known = self.is_initialised();
        self.could_reach()?;
        if !known {
            self.lay_out(*RECENCY_BITS.start(), now_ms());
        }
        self.could_reach()
    }

    /// The file, for locking it and asking for its identity.
    #[must_use]
    pub fn file(&self) -> &Arc<dyn File> {
        &self.page.words.file
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `at_path`, what is now at the sidecar's path, is another file, or none.
    #[must_use]
    pub fn is_replaced_by(&self, at_path: Option<Identity>) -> bool {
        !at_path.is_some_and(|other| other.same_file(&self.identity))
    }

    /// Whether every word since the last call could be read and written. Without a mapping, a word that could not
    /// be read looks like zero, and one that could not be written keeps its old value.
    ///
    /// # Errors
    /// `Io` and `NoSpace` if a system call failed.
    pub fn could_reach(&self) -> Result<()> {
        self.page.words.refusal.ask()
    }

    /// A new read-only mapping of the page alone. `None` if the sidecar is not mapped.
    #[must_use]
    pub fn page(&self) -> Option<SharedWords> {
        self.shared()?;
        self.file().words(PAGE as u64, false)
    }

    fn shared(&self) -> Option<&SharedWords> {
        self.page.words.mapping.as_ref()
    }
}
