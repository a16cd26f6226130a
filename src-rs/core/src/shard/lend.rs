//! Windows: parts of the file that are mapped privately and lent to the caller.
//!
//! A window is longer than its stride, so that most entries that start in it fit. An entry that does not
//! fit gets a window of its own at each look-up, which costs less than copying so much. A window stays
//! valid as long as the caller holds it, even if the shard is closed or replaced. It never reaches behind
//! the bytes that were published when it was made, because accessing bytes behind the end of the file
//! would end the process. Entries behind it are copied until there are enough of them for a new window.

use super::Shard;
use crate::limits::{MAX_LENT_BYTES, WINDOW_LEN, WINDOW_STRIDE};
use crate::mapping::Window;

/// A window is replaced by a larger one when at least this many bytes have been published behind it.
const REMAP_BYTES: u64 = 256 << 10;

/// How the caller gets bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loan {
    /// They are in the window with this number, at this offset.
    Window {
        /// The window's number; see [`Lent::id`].
        id: u32,
        /// Offset in the window.
        offset: u32,
    },
    /// The caller must first have the window made, with [`Shard::window_for`].
    NeedsWindow,
    /// They must be copied.
    Copy,
}

/// The number of the newest window that was made for one large part.
pub const OWN_WINDOW: u32 = 0;

/// A number that no window has: it stands for the caller's memory with copies.
pub const COPIES: u32 = 1;

/// A second number that no window has, for other memory with copies.
pub const MORE_COPIES: u32 = 2;

/// The window of one large part begins at a multiple of this many bytes, which is a multiple of every page size.
const OWN_ALIGN: u64 = 64 << 10;

/// A window that was made.
#[derive(Debug)]
pub struct Lent {
    /// Its number. An older window that this one replaces may have had the same.
    pub id: u32,
    /// Where in the file it begins.
    pub start: u64,
    /// The mapping.
    pub window: Window,
}

/// The window of one stride.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    /// Where in the file it ends; zero if there is none.
    end: u64,
}

/// Which windows the caller has, by stride.
#[derive(Debug, Default)]
pub(super) struct Lender {
    extents: Vec<Extent>,
    /// Bytes of all windows of this file, except those that a larger one has replaced.
    lent: u64,
    forbidden: bool,
}

impl Lender {
    /// Forgets all windows: the shard has another file now.
    pub fn forget(&mut self) {
        self.extents.clear();
        self.lent = 0;
    }
}

impl Shard {
    /// Makes no more windows, because the caller cannot use lent memory: all bytes are copied from now on.
    pub fn never_lend(&mut self) {
        self.end_era();
        self.lender.forget();
        self.lender.forbidden = true;
    }

    /// How the caller gets `len` bytes of the file at `offset`.
    #[inline(always)]
    #[must_use]
    pub fn loan(&self, offset: u64, len: u32) -> Loan {
        let stride = offset / WINDOW_STRIDE;
        let end = offset.saturating_add(u64::from(len));
        match self.lender.extents.get(stride as usize) {
            // There are no windows if lending is forbidden, so that need not be asked here.
            Some(extent) if end <= extent.end => {
                Loan::Window { id: window_id(stride), offset: (offset % WINDOW_STRIDE) as u32 }
            }
            _ => self.loan_otherwise(offset, end),
        }
    }

    /// The same for bytes that are not in a window.
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

    /// Makes a window with `len` bytes at `offset`: the window of their stride, or one of their own. `None`
    /// if it cannot be mapped; then the bytes must be copied.
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

    /// Makes the window of the stride that `offset` lies in. `None` if it cannot be mapped; then bytes
    /// must be copied.
    pub fn window(&mut self, offset: u64) -> Option<Lent> {
        if self.lender.forbidden {
            return None;
        }
        let state = self.state.as_ref()?;
        let stride = offset / WINDOW_STRIDE;
        let start = stride.checked_mul(WINDOW_STRIDE)?;
        // The file may have been cut, and bytes that are gone must not be mapped.
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

/// Whether the bytes from `offset` to `end` fit into the window of their stride.
#[inline(always)]
fn fits(offset: u64, end: u64) -> bool {
    end.saturating_sub(offset / WINDOW_STRIDE * WINDOW_STRIDE) <= WINDOW_LEN
}

/// The number of a stride's window. The first numbers have other meanings.
#[inline(always)]
fn window_id(stride: u64) -> u32 {
    (stride as u32).saturating_add(MORE_COPIES + 1)
}
