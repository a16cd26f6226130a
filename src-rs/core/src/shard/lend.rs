//! Windows: parts of the file that are mapped privately and lent to the caller.
//!
//! A window is longer than its stride, so that most entries that start in it fit; one that does not
//! gets a window of its own at each look-up, which costs less than copying that much. Windows outlive
//! everything: whoever holds one keeps its bytes, whatever becomes of the shard. A window never
//! reaches behind the bytes that were published when it was made, for touching what is not there would
//! end the process; entries behind it are copied until enough of them have come to be worth a new
//! window.

use super::Shard;
use crate::limits::{MAX_LENT_BYTES, WINDOW_LEN, WINDOW_STRIDE};
use crate::mapping::Window;

/// Bytes that must have come behind a window before it is made anew.
const REMAP_BYTES: u64 = 256 << 10;

/// Where the caller finds bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loan {
    /// In the window with this number, at this offset.
    Window {
        /// The number that `Shard::window` gave.
        id: u32,
        /// Offset in the window.
        offset: u32,
    },
    /// In a window that has yet to be made by `Shard::window`.
    NeedsWindow,
    /// Nowhere: they must be copied.
    Copy,
}

/// The number of a window that was made for one large part, whichever came last.
pub const OWN_WINDOW: u32 = 0;

/// A number that no window has, for the memory that the caller keeps copies in.
pub const COPIES: u32 = 1;

/// The same for memory that the caller keeps other copies in.
pub const MORE_COPIES: u32 = 2;

/// A window of its own begins at a multiple of this many bytes, a multiple of every page size.
const OWN_ALIGN: u64 = 64 << 10;

/// A window that was made.
#[derive(Debug)]
pub struct Lent {
    /// Its number, which may have been another window's before.
    pub id: u32,
    /// Where in the file it begins.
    pub start: u64,
    /// The memory.
    pub window: Window,
}

#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    /// Where the window ends; zero for none.
    end: u64,
}

/// Which windows the caller has, by stride.
#[derive(Debug, Default)]
pub(super) struct Lender {
    extents: Vec<Extent>,
    /// Bytes of the windows of this file, without those that a larger one replaced.
    lent: u64,
    forbidden: bool,
}

impl Lender {
    /// The windows belong to another file now.
    pub fn forget(&mut self) {
        self.extents.clear();
        self.lent = 0;
    }
}

impl Shard {
    /// From now on bytes are only copied: lent memory is forbidden here.
    pub fn never_lend(&mut self) {
        self.end_era();
        self.lender.forget();
        self.lender.forbidden = true;
    }

    /// Where the caller finds `len` bytes of the file at `offset`.
    #[inline(always)]
    #[must_use]
    pub fn loan(&self, offset: u64, len: u32) -> Loan {
        let stride = offset / WINDOW_STRIDE;
        let end = offset.saturating_add(u64::from(len));
        match self.lender.extents.get(stride as usize) {
            // Where lending is forbidden there are none.
            Some(extent) if end <= extent.end => {
                Loan::Window { id: window_id(stride), offset: (offset % WINDOW_STRIDE) as u32 }
            }
            _ => self.loan_otherwise(offset, end),
        }
    }

    /// The same for what no window holds.
    #[inline(never)]
    fn loan_otherwise(&self, offset: u64, end: u64) -> Loan {
        if self.lender.forbidden {
            return Loan::Copy;
        }
        let stride = offset / WINDOW_STRIDE;
        let start = stride.saturating_mul(WINDOW_STRIDE);
        let mapped = || self.state.as_ref().is_some_and(|s| s.view.is_mapped());
        if !fits(offset, end) {
            return if mapped() { Loan::NeedsWindow } else { Loan::Copy };
        }
        let extent = self.lender.extents.get(stride as usize).copied().unwrap_or_default();
        let behind = self.state.as_ref().map_or(0, |s| s.end).saturating_sub(extent.end);
        let covered = extent.end.saturating_sub(start);
        let room = self.lender.lent < MAX_LENT_BYTES;
        if room && (extent.end == 0 || behind >= REMAP_BYTES.max(covered / 2)) && mapped() {
            Loan::NeedsWindow
        } else {
            Loan::Copy
        }
    }

    /// Makes the window that `len` bytes at `offset` lie in: the stride's, or one of their own. `None`
    /// where the system has no more mappings; then they must be copied.
    pub fn window_for(&mut self, offset: u64, len: u32) -> Option<Lent> {
        let end = offset.checked_add(u64::from(len))?;
        if fits(offset, end) {
            return self.window(offset);
        }
        let state = self.state.as_ref()?;
        if end > state.view.file().identity().ok()?.len.min(state.end) {
            return None;
        }
        let start = offset / OWN_ALIGN * OWN_ALIGN;
        let window = state.view.file().window(start, end.checked_sub(start)?)?;
        Some(Lent { id: OWN_WINDOW, start, window })
    }

    /// Makes the window that bytes at `offset` lie in. `None` where the system has no more mappings;
    /// then they must be copied.
    pub fn window(&mut self, offset: u64) -> Option<Lent> {
        if self.lender.forbidden {
            return None;
        }
        let state = self.state.as_ref()?;
        let stride = offset / WINDOW_STRIDE;
        let start = stride.checked_mul(WINDOW_STRIDE)?;
        // Somebody may have cut the file: what is gone must not be mapped.
        let there = state.view.file().identity().ok()?.len.min(state.end);
        let end = start.checked_add(WINDOW_LEN)?.min(there);
        let window = state.view.file().window(start, end.checked_sub(start)?)?;
        let at = usize::try_from(stride).ok()?;
        if at >= self.lender.extents.len() {
            self.lender.extents.resize(at.checked_add(1)?, Extent::default());
        }
        let extent = self.lender.extents.get_mut(at)?;
        let replaced = extent.end.saturating_sub(start);
        *extent = Extent { end };
        self.lender.lent = self.lender.lent.saturating_sub(replaced).saturating_add(window.len() as u64);
        Some(Lent { id: window_id(stride), start, window })
    }
}

/// Whether bytes that begin at `offset` and end at `end` lie within the window of their stride.
#[inline(always)]
fn fits(offset: u64, end: u64) -> bool {
    end.saturating_sub(offset / WINDOW_STRIDE * WINDOW_STRIDE) <= WINDOW_LEN
}

/// The number of a stride's window, behind those that mean something else.
#[inline(always)]
fn window_id(stride: u64) -> u32 {
    (stride as u32).saturating_add(MORE_COPIES + 1)
}
