//! One open shard of one environment, shared by its raw callbacks and its generated functions.

use super::exchange::{self, Exchange};
use super::fast::{self, Number};
use super::own_slab::OwnSlab;
use super::slab::Slab;
use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;
use warmshard_core::limits::MAX_PARTS;
use warmshard_core::shard::{COPIES, Loan, MORE_COPIES, OWN_WINDOW};
use warmshard_core::{Error, Hit, Shard};

/// The result of a copy into a slab.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    Done,
    /// There is no slab, it is full, its memory was transferred away, or the value is too large for it.
    NoRoom,
    /// The file no longer contains the bytes.
    Gone,
}

#[cold]
fn busy() -> Error {
    Error::InvalidArg("the shard is in the middle of another call; use it when that has returned".into())
}

/// See the module's head.
pub struct Handle {
    /// `None` once closed.
    shard: RefCell<Option<Shard>>,
    /// For messages.
    pub path: PathBuf,
    pub exchange: Exchange,
    /// Offset and length in the file of each part of the last answer, for the calls that fetch them.
    last: [Cell<(u64, u32)>; MAX_PARTS],
    /// Where small values are copied to.
    slab: RefCell<Option<Slab>>,
    /// Where the fast door copies small values to.
    own_slab: RefCell<Option<OwnSlab>>,
    /// The number of this handle at the fast door, once it was asked for.
    number: OnceCell<Option<Number>>,
}

impl Handle {
    pub fn new(shard: Shard, exchange: Exchange) -> Self {
        let path = shard.path().to_path_buf();
        Handle {
            shard: RefCell::new(Some(shard)),
            path,
            exchange,
            last: [const { Cell::new((0, 0)) }; MAX_PARTS],
            slab: RefCell::new(None),
            own_slab: RefCell::new(None),
            number: OnceCell::new(),
        }
    }

    /// The number of this handle at the fast door, or zero if none is free. The handle must not be moved
    /// afterwards.
    pub fn number(&self) -> u32 {
        self.number.get_or_init(|| fast::number(self)).as_ref().map_or(0, Number::get)
    }

    /// Runs something on the shard.
    #[inline(always)]
    pub fn with<T>(&self, run: impl FnOnce(&mut Shard) -> Result<T, Error>) -> Result<T, Error> {
        match self.shard.try_borrow_mut().as_deref_mut() {
            Ok(Some(shard)) => self.run(shard, run),
            Ok(None) => Err(self.closed()),
            Err(_) => Err(busy()),
        }
    }

    /// The same; `None` if the shard is closed or busy.
    #[inline(always)]
    pub fn with_open<T>(&self, run: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        self.shard.try_borrow_mut().ok()?.as_mut().map(|shard| self.run(shard, run))
    }

    /// Runs something, and then writes the era, so that JavaScript always knows the present one.
    #[inline(always)]
    fn run<T>(&self, shard: &mut Shard, run: impl FnOnce(&mut Shard) -> T) -> T {
        let result = run(shard);
        self.exchange.set(exchange::ERA, shard.era());
        result
    }

    #[cold]
    fn closed(&self) -> Error {
        Error::Closed(self.path.clone())
    }

    /// Closes the shard. Does nothing if it is closed already.
    pub fn close(&self) {
        if let Ok(Some(shard)) = self.shard.try_borrow_mut().map(|mut s| s.take()) {
            shard.close();
        }
        self.slab.take();
        self.own_slab.take();
    }

    /// Writes where a part is into the exchange block. Returns its window number or marker.
    #[inline(always)]
    pub fn tell(&self, shard: &Shard, part: usize, offset: u64, len: u32) -> u32 {
        if let Some(last) = self.last.get(part) {
            last.set((offset, len));
        }
        let (id, at) = match shard.loan(offset, len) {
            Loan::Window { id, offset } => (id, offset),
            Loan::NeedsWindow => (exchange::NEEDS_WINDOW, 0),
            Loan::Copy => (exchange::COPY, 0),
        };
        self.tell_place(part, id, at);
        self.exchange.set(part.saturating_mul(3).saturating_add(2), len);
        id
    }

    /// Writes in which window a part is, and at which offset.
    #[inline(always)]
    fn tell_place(&self, part: usize, id: u32, at: u32) {
        let word = part.saturating_mul(3);
        self.exchange.set(word, id);
        self.exchange.set(word.saturating_add(1), at);
    }

    /// Writes that a part is in a window that was made for this part only.
    pub fn tell_own(&self, part: usize, offset: u64) {
        self.tell_place(part, OWN_WINDOW, u32::try_from(offset).unwrap_or(u32::MAX));
    }

    /// Like `tell`, but a small value that no window contains is copied, if the slab has room. Only for
    /// callbacks of Node-API.
    #[inline(always)]
    pub fn tell_or_copy(&self, shard: &Shard, part: usize, offset: u64, len: u32) -> u32 {
        match self.tell(shard, part, offset, len) {
            exchange::COPY if self.copy_into_slab(shard, part, offset, len) == Copied::Done => COPIES,
            id => id,
        }
    }

    /// Copies a part into the slab, and writes where it is. Only for callbacks of Node-API.
    #[inline(always)]
    pub fn copy_into_slab(&self, shard: &Shard, part: usize, offset: u64, len: u32) -> Copied {
        let mut there = true;
        let slab = self.slab.borrow();
        let placed = slab.as_ref().and_then(|slab| {
            slab.place(len as usize, |to| {
                there = shard.copy(offset, to);
                there
            })
        });
        match placed {
            Some(at) => {
                self.tell_place(part, COPIES, u32::try_from(at).unwrap_or(u32::MAX));
                Copied::Done
            }
            None if there => Copied::NoRoom,
            None => Copied::Gone,
        }
    }

    /// Copies the only part of an answer into the own slab, and writes where it is. Returns its window
    /// number, or `COPY` if it must be copied in another way. For the fast door, which must not call
    /// Node-API.
    #[inline(always)]
    pub fn copy_into_own_slab(&self, shard: &Shard, offset: u64, len: u32) -> u32 {
        let slab = self.own_slab.borrow();
        let placed = slab.as_ref().and_then(|slab| slab.place(len as usize, |to| shard.copy(offset, to)));
        match placed {
            Some(at) => {
                self.tell_place(0, MORE_COPIES, u32::try_from(at).unwrap_or(u32::MAX));
                MORE_COPIES
            }
            None => exchange::COPY,
        }
    }

    /// Sets the slab for copies that the fast door makes.
    pub fn take_own_slab(&self, slab: OwnSlab) {
        self.own_slab.replace(Some(slab));
    }

    /// Sets the slab for copies.
    pub fn take_slab(&self, slab: Slab) {
        self.slab.replace(Some(slab));
    }

    /// Writes where each part of a hit is. Small parts that must be copied are copied, if the slab has room
    /// for all. Returns the number of parts. Only for callbacks of Node-API.
    pub fn tell_all(&self, shard: &mut Shard, hit: &Hit) -> usize {
        let mut parts = [(0, 0); MAX_PARTS];
        let count = shard.parts_into(hit, &mut parts);
        let parts = parts.get(..count).unwrap_or_default();
        let mut copies = false;
        for (i, (offset, len)) in parts.iter().enumerate() {
            copies |= self.tell(shard, i, *offset, *len) == exchange::COPY;
        }
        if copies && self.slab_has_room_for(parts) {
            for (i, (offset, len)) in parts.iter().enumerate() {
                self.tell_or_copy(shard, i, *offset, *len);
            }
        }
        count
    }

    /// Whether all parts that are small enough for the slab fit into it together. Only then can the facade
    /// read the whole answer without making a new slab, which would replace the one that the answer refers
    /// to.
    fn slab_has_room_for(&self, parts: &[(u64, u32)]) -> bool {
        self.slab.borrow().as_ref().is_some_and(|slab| {
            let lengths = parts.iter().map(|(_, len)| *len as usize).filter(|len| slab.takes(*len));
            lengths.fold(0, |sum, len| Slab::footprint(len).saturating_add(sum)) <= slab.room()
        })
    }

    /// Offset and length of a part of the last answer in the file.
    pub fn last(&self, part: usize) -> Option<(u64, u32)> {
        self.last.get(part).map(Cell::get)
    }
}
