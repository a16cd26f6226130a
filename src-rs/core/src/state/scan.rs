//! Walking frames in the order of the file.
//!
//! A damaged frame head loses only its own frame: the walk goes on at the next offset with a valid
//! head. A match by chance is practically impossible, because the check has 64 bits and is seeded with
//! the shard's random id and the offset.
//!
//! A frame that ends at or before `doubt_from` counts if its head is valid, because it was published.
//! A later frame counts if its digest agrees and, if it is part of a batch, the batch is complete. Frames
//! with a valid head that do not count are *rejected*: a writer that recovers the file blanks them, so
//! that they are not taken for published frames once the published length has passed them.

use super::view::View;
use crate::frame::{COMMIT, HEAD_LEN, Head, IN_BATCH, SNAPSHOT, Sealer};
use crate::limits::{ALIGN, MAX_GAP};

/// Bytes that the search for the next valid head reads at a time.
const SEARCH_LEN: u64 = 64 << 10;

/// A frame that counts.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Where it begins.
    pub offset: u64,
    /// Its head.
    pub head: Head,
}

impl Step {
    /// Where the next frame may begin.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.head.length.get())
    }
}

/// A walk from one offset to another. It borrows nothing, so that the caller can change the state between
/// two steps. Each call must get the same view and sealer.
#[derive(Debug)]
pub struct Walk {
    at: u64,
    to: u64,
    /// Frames that end behind this offset are verified.
    doubt_from: u64,
    scratch: Vec<u8>,
    /// Offsets of frames whose batch's commit frame has not come yet.
    batch: Vec<u64>,
    /// The generation of all of them; `None` if they differ. After a power cut, frames of a failed batch may be found
    /// between those of the next batch, which was written over it.
    batch_generation: Option<u64>,
    /// Frames of a complete batch that were not returned yet.
    ready: std::vec::IntoIter<u64>,
    rejected: Vec<u64>,
    /// Where the last frame that counts ends.
    end: u64,
    /// Bytes passed over in search of a valid head.
    damaged: u64,
}

impl Walk {
    /// A walk over `from..to` that trusts frames which end at or before `doubt_from`.
    #[must_use]
    pub fn new(view: &View, from: u64, to: u64, doubt_from: u64) -> Self {
        Walk {
            at: from,
            to: to.min(view.readable()),
            doubt_from,
            scratch: Vec::new(),
            batch: Vec::new(),
            batch_generation: None,
            ready: Vec::new().into_iter(),
            rejected: Vec::new(),
            end: from,
            damaged: 0,
        }
    }

    /// Where the last frame that counts ends. Final once the walk is over.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes that belong to no whole frame.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Offsets of the frames that do not count although their heads are valid.
    #[must_use]
    pub fn into_rejected(self) -> Vec<u64> {
        self.rejected
    }

    /// The next frame with a valid head and, if it is not trusted, a valid digest, whether or not its batch is complete.
    pub fn next_any(&mut self, view: &View, sealer: &Sealer) -> Option<Step> {
        let from = self.at;
        if let Some(step) = self.step_at(view, sealer, from) {
            return Some(step);
        }
        loop {
            let rest = self.to.checked_sub(self.at)?;
            if rest < HEAD_LEN as u64 {
                // There may be heads here that were cut off, and zeros behind them could make them valid again.
                self.rejected.extend((self.at..self.to).step_by(ALIGN as usize));
                return None;
            }
            if self.at.saturating_sub(from) > MAX_GAP {
                return None;
            }
            match self.search(view, sealer, rest.min(SEARCH_LEN)) {
                Some(offset) => {
                    self.pass_to(offset);
                    if let Some(step) = self.step_at(view, sealer, offset) {
                        return Some(step);
                    }
                    self.pass_to(offset.saturating_add(ALIGN));
                }
                // The next piece begins with the first head that did not fit into this one.
                None => {
                    let heads = rest.min(SEARCH_LEN).saturating_sub(HEAD_LEN as u64) / ALIGN;
                    self.pass_to(self.at.saturating_add(heads.saturating_add(1).saturating_mul(ALIGN)));
                }
            }
        }
    }

    fn pass_to(&mut self, offset: u64) {
        self.damaged = self.damaged.saturating_add(offset.saturating_sub(self.at));
        self.at = offset;
    }

    /// Offset of the first valid head within the next `len` bytes.
    fn search(&mut self, view: &View, sealer: &Sealer, len: u64) -> Option<u64> {
        let from = self.at;
        let bytes = view.get(from, usize::try_from(len).ok()?, &mut self.scratch)?;
        let mut at = 0usize;
        while let Some(head) = bytes.get(at..).and_then(Head::read) {
            let offset = from.saturating_add(at as u64);
            if head.is_whole(sealer.seed(), offset) {
                return Some(offset);
            }
            at = at.saturating_add(ALIGN as usize);
        }
        None
    }

    fn step_at(&mut self, view: &View, sealer: &Sealer, offset: u64) -> Option<Step> {
        let head = *Head::read(view.get(offset, HEAD_LEN, &mut self.scratch)?)?;
        let step = Step { offset, head };
        if !head.is_whole(sealer.seed(), offset) {
            return None;
        }
        if step.end() > self.to {
            // The frame is cut off. What is appended later would lie inside it.
            self.rejected.push(offset);
            return None;
        }
        if step.end() > self.doubt_from {
            let len = usize::try_from(head.length.get()).ok()?;
            let frame = view.get(offset, len, &mut self.scratch)?;
            if !sealer.verify(frame, offset) {
                self.rejected.push(offset);
                return None;
            }
        }
        self.at = step.end();
        Some(step)
    }

    /// The next record or tombstone that counts.
    pub fn next(&mut self, view: &View, sealer: &Sealer) -> Option<Step> {
        loop {
            if let Some(offset) = self.ready.next() {
                // Its head was checked when it was put into the batch.
                let head = *Head::read(view.get(offset, HEAD_LEN, &mut self.scratch)?)?;
                return Some(Step { offset, head });
            }
            let step = self.next_any(view, sealer)?;
            let trusted = step.end() <= self.doubt_from;
            if step.head.flags & IN_BATCH != 0 && !trusted {
                let generation = step.head.generation.get();
                let same = self.batch.is_empty() || self.batch_generation == Some(generation);
                self.batch_generation = same.then_some(generation);
                self.batch.push(step.offset);
                continue;
            }
            let batch = std::mem::take(&mut self.batch);
            match step.head.kind {
                COMMIT if !trusted => {
                    let whole = batch.len() as u64 == step.head.key_hash.get()
                        && self.batch_generation == Some(step.head.generation.get())
                        && batch.first().is_none_or(|f| *f == step.head.producer.get());
                    if whole {
                        self.ready = batch.into_iter();
                    } else {
                        self.rejected.extend(batch);
                        self.rejected.push(step.offset);
                        continue;
                    }
                    self.end = self.at;
                }
                kind => {
                    self.rejected.extend(batch);
                    self.end = self.at;
                    if !matches!(kind, COMMIT | SNAPSHOT) {
                        return Some(step);
                    }
                }
            }
        }
    }
}

/// A walk over published frames, together with its view and sealer.
pub struct Scan<'a> {
    view: &'a View,
    sealer: &'a Sealer,
    walk: Walk,
}

impl<'a> Scan<'a> {
    /// A walk over `from..to`.
    #[must_use]
    pub fn new(view: &'a View, sealer: &'a Sealer, from: u64, to: u64) -> Self {
        let walk = Walk::new(view, from, to, to);
        Scan { view, sealer, walk }
    }

    /// The next frame with a valid head, of any kind.
    pub fn next_any(&mut self) -> Option<Step> {
        self.walk.next_any(self.view, self.sealer)
    }

    /// Bytes that belong to no whole frame.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.walk.damaged()
    }
}

impl Iterator for Scan<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        self.walk.next(self.view, self.sealer)
    }
}
