//! A handle on a shard: opening, look-ups, changes and maintenance.
//!
//! One `Shard` is used by one thread at a time. Any number of handles, in any number of processes, may be
//! open on one path; they communicate through the sidecar. Long work that must not block the event loop
//! runs on another thread with a handle of its own.

mod append;
mod background;
mod batch;
mod behind;
mod compact;
mod era;
mod evict;
mod flush;
mod follow;
mod lend;
mod list;
mod lock;
mod open;
mod options;
mod patience;
mod put;
mod quick;
mod quiet;
mod read;
mod replace;
mod report;
mod swift;
mod tally;
mod verify;

pub use crate::mapping::Pin;
pub use batch::Batch;
pub use compact::CompactReport;
pub use lend::{COPIES, Lent, Loan, MORE_COPIES, OWN_WINDOW};
pub use list::{Cursor, EntryInfo, Totals};
pub use open::Opener;
pub use options::{Job, Options, PutMeta};
pub use quiet::Foreign;
pub use report::{Durability, Stats};
pub use verify::{Fault, VerifyReport};

use crate::header::Rejected;
use crate::sidecar::Sidecar;
use crate::state::{Ahead, Scratch, State};
use crate::storage::{Identity, Storage};
use background::Background;
use lend::Lender;
pub(crate) use patience::Patience;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use swift::Swift;
use tally::{Changes, Lookups};

/// A generation and the id of its file. A file that was put in place by hand may have the same generation as another.
type Version = (u64, Option<[u8; 16]>);

/// An open shard; see the module's documentation.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    lock_path: PathBuf,
    storage: Arc<dyn Storage>,
    options: Options,
    /// The producer's number, if there is no root. Then the quick way of a look-up is possible.
    rootless: Option<u64>,
    sidecar: Option<Sidecar>,
    state: Option<Box<State>>,
    /// Why the file at the path reads as empty.
    rejected: Option<Rejected>,
    /// The file that `state` or `rejected` is about.
    seen: Option<Identity>,
    /// The generation of the page that this handle has caught up with.
    known: u64,
    /// How many more look-ups may be answered before all deltas are checked.
    lookups_unchecked: u32,
    /// See `era.rs`.
    era: u32,
    /// How many pages this handle has used.
    pages: u32,
    /// The highest generation that this handle ever knew. What it publishes has a higher one, even if the
    /// files that contained that generation are gone.
    highest: u64,
    lookups: Lookups,
    /// Sums over the entries, and the version of the shard that they belong to.
    totals: Option<(Version, Totals)>,
    changes: Arc<Changes>,
    scratch: Scratch,
    ahead: Ahead,
    /// Frames that are not written yet.
    buffer: Vec<u8>,
    /// When the open files were last compared with those at the paths.
    checked_ms: u64,
    /// Hits until the clock is read again.
    hits_left: u64,
    /// Misses until the clock is read again.
    misses_left: u64,
    /// The number from which `misses_left` last counted down.
    misses_between: u64,
    recency_epoch: u64,
    /// Whether this handle has removed temporary files of dead processes, or need not.
    swept: bool,
    /// Whether this handle has changed anything.
    wrote: bool,
    lender: Lender,
    swift: Swift,
    background: Background,
    /// The job that this handle was opened for: aborting it ends a wait for the lock.
    job: Option<Arc<Job>>,
    /// Whether a sync failed and this could not be noted in the page yet.
    untold_failure: bool,
    /// What is left of the `lockTimeout` of a job that began by opening this handle; the next call that may wait takes it.
    begun: RefCell<Option<Patience>>,
}

impl Shard {
    /// The path of the shard file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The options that it was opened with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }
}
