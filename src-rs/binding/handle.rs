//! One open shard of one environment, shared by its raw callbacks and its generated methods.

use super::exchange::{self, Exchange};
use super::fast::{self, Number};
use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;
use warmshard_core::limits::MAX_PARTS;
use warmshard_core::shard::{Loan, OWN_WINDOW};
use warmshard_core::{Error, Hit, Shard};

/// See the module's head.
pub struct Handle {
    /// `None` once closed.
    shard: RefCell<Option<Shard>>,
    /// For messages.
    pub path: PathBuf,
    /// See there.
    pub exchange: Exchange,
    /// Where the parts of the last answer lie in the file, for the calls that fetch them.
    last: [Cell<(u64, u32)>; MAX_PARTS],
    /// What the fast door calls this handle, once somebody has asked for it.
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
            number: OnceCell::new(),
        }
    }

    /// What the fast door calls this handle; zero where it does not know it. The handle must not move any more.
    pub fn number(&self) -> u32 {
        self.number.get_or_init(|| fast::number(self)).as_ref().map_or(0, Number::get)
    }

    /// Runs something on the shard.
    #[inline(always)]
    pub fn with<T>(&self, run: impl FnOnce(&mut Shard) -> Result<T, Error>) -> Result<T, Error> {
        let Ok(mut shard) = self.shard.try_borrow_mut() else {
            return Err(Error::InvalidArg("the shard is in the middle of another call".into()));
        };
        match shard.as_mut() {
            Some(shard) => run(shard),
            None => Err(Error::Closed(self.path.clone())),
        }
    }

    /// Ends the use of the shard. Again: nothing.
    pub fn close(&self) {
        if let Ok(Some(shard)) = self.shard.try_borrow_mut().map(|mut s| s.take()) {
            shard.close();
        }
    }

    /// Writes where a part lies into the exchange block. Returns its window or marker.
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
        let word = part.saturating_mul(3);
        self.exchange.set(word, id);
        self.exchange.set(word.saturating_add(1), at);
        self.exchange.set(word.saturating_add(2), len);
        id
    }

    /// Writes that a part lies in the window that was made for it alone.
    pub fn tell_own(&self, part: usize, offset: u64) {
        let word = part.saturating_mul(3);
        self.exchange.set(word, OWN_WINDOW);
        self.exchange.set(word.saturating_add(1), u32::try_from(offset).unwrap_or(u32::MAX));
    }

    /// Writes where every part of a hit lies. Returns how many there are.
    pub fn tell_all(&self, shard: &mut Shard, hit: &Hit) -> usize {
        let mut parts = [(0, 0); MAX_PARTS];
        let count = shard.parts_into(hit, &mut parts);
        for (i, (offset, len)) in parts.iter().take(count).enumerate() {
            self.tell(shard, i, *offset, *len);
        }
        count
    }

    /// Where a part of the last answer lies in the file.
    pub fn last(&self, part: usize) -> Option<(u64, u32)> {
        self.last.get(part).map(Cell::get)
    }
}
