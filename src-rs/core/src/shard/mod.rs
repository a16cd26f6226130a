//! A shard: open, look up, change, look after.
//!
//! One `Shard` belongs to one thread at a time. Any number of them, in any processes, may be open on
//! one path: they meet in the sidecar. That is also how long work leaves the event loop: it runs on a
//! handle of its own.

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

/// A generation, and the id of the file that has it: a file put in place by hand may be of the same one.
type Version = (u64, Option<[u8; 16]>);

/// An open shard. See the module's head.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    lock_path: PathBuf,
    storage: Arc<dyn Storage>,
    options: Options,
    /// The producer's number, where keys are stored as they are given.
    rootless: Option<u64>,
    sidecar: Option<Sidecar>,
    state: Option<Box<State>>,
    /// Why the file at the path reads as empty.
    rejected: Option<Rejected>,
    /// The file that `state` or `rejected` speaks of.
    seen: Option<Identity>,
    /// The generation of the page that this handle has caught up with.
    known: u64,
    /// Look-ups that may still be answered before all deltas are checked.
    lookups_unchecked: u32,
    /// See `era.rs`.
    era: u32,
    /// Pages that this handle has used.
    pages: u32,
    /// The highest generation that this handle ever knew: what it publishes is higher, even where
    /// the files that remembered it are gone.
    highest: u64,
    lookups: Lookups,
    /// Sums over the entries, and what they are of.
    totals: Option<(Version, Totals)>,
    changes: Arc<Changes>,
    scratch: Scratch,
    ahead: Ahead,
    /// Frames on their way to the file.
    buffer: Vec<u8>,
    /// When the files at our paths were last compared with ours.
    checked_ms: u64,
    /// Hits until the next look at the clock.
    hits_left: u64,
    /// Misses until the next look at the clock, and how many there were until the last one.
    misses_left: u64,
    misses_between: u64,
    recency_epoch: u64,
    /// Whether leftovers of dead processes have been looked for.
    swept: bool,
    /// Whether this handle has changed anything.
    wrote: bool,
    lender: Lender,
    swift: Swift,
    background: Background,
    /// Ends a wait for the lock early.
    job: Option<Arc<Job>>,
    /// Whether a sync failed, and the page could not be told.
    untold_failure: bool,
    /// What is left to a call that began by opening this handle.
    begun: RefCell<Option<Patience>>,
}

impl Shard {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }
}
