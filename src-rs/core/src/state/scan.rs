//! Walking frames in the order of the file.
//!
//! A frame that fails its check costs itself alone: the walk goes on at the next offset where a
//! whole frame head stands. A chance match is out of the question, for the check is 64 bits wide
//! and seeded with the shard's random id and the offset.
//!
//! Below `doubt_from` every whole frame counts, for it was published. From there on a frame counts if
//! its digest agrees and, in a batch, if the whole batch is there. Whole heads that do not count are
//! *rejected*: a writer that recovers a file blanks them, so that nobody takes them for published
//! frames once the bytes around them are.

use super::view::View;
use crate::frame::{COMMIT, HEAD_LEN, Head, IN_BATCH, SNAPSHOT, Sealer};
use crate::limits::{ALIGN, MAX_GAP};

/// Bytes that a search for the next whole frame reads at a time.
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

/// A walk from one offset to another. It borrows nothing, so that its owner can act on each step;
/// every call gets the same view and sealer.
#[derive(Debug)]
pub struct Walk {
    at: u64,
    to: u64,
    /// From here on nothing is trusted.
    doubt_from: u64,
    scratch: Vec<u8>,
    /// Frames that wait for their batch's commit frame.
    batch: Vec<u64>,
    /// The generation of all of them; none where they differ. At the place of a batch that came to nothing there may
    /// still be frames of it among those of the next one, after a power cut.
    batch_generation: Option<u64>,
    ready: std::vec::IntoIter<u64>,
    rejected: Vec<u64>,
    /// Behind the last frame that counts.
    end: u64,
    /// Bytes passed over in search of a whole frame.
    damaged: u64,
}

impl Walk {
    /// A walk over `from..to`, trusting what lies below `doubt_from`.
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

    /// Behind the last frame that counts. Final once the walk is over.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes that belong to no whole frame.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Whole heads of frames that do not count.
    #[must_use]
    pub fn into_rejected(self) -> Vec<u64> {
        self.rejected
    }

    /// The next frame with a whole head (and digest, where in doubt), batch or not.
    pub fn next_any(&mut self, view: &View, sealer: &Sealer) -> Option<Step> {
        let from = self.at;
        if let Some(step) = self.step_at(view, sealer, from) {
            return Some(step);
        }
        loop {
            let rest = self.to.checked_sub(self.at)?;
            if rest < HEAD_LEN as u64 {
                // Heads that were cut off: zeros behind them could make them whole again.
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
                // The last head of the piece that could not be read whole begins the next one.
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

    /// The first whole head within the next `len` bytes.
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
            // Cut off. What is appended here later would lie within it.
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
                // It was whole a moment ago.
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

/// A walk together with what it walks over.
pub struct Scan<'a> {
    view: &'a View,
    sealer: &'a Sealer,
    walk: Walk,
}

impl<'a> Scan<'a> {
    /// A walk over published frames.
    #[must_use]
    pub fn new(view: &'a View, sealer: &'a Sealer, from: u64, to: u64) -> Self {
        let walk = Walk::new(view, from, to, to);
        Scan { view, sealer, walk }
    }

    /// The next frame with a whole head.
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
