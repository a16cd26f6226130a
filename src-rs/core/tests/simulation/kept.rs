//! Answers that a process keeps in front of its handle, as the facade does. They are given again while the page's
//! generation and the handle's era are the same as before and after the look-up.
//!
//! A kept answer must be what the handle itself would answer without first following others: the same place,
//! found by the quick way, in lent memory. So it is wrong to keep an answer over any change in the handle, even
//! if the bytes are still the same.

use super::disk::Door;
use super::workload::{find, round_of};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use warmshard_core::shard::Loan;
use warmshard_core::sidecar::GENERATION_AT;
use warmshard_core::storage::File;
use warmshard_core::{Quick, Shard};

/// Number of look-ups after which the handle counts the hits and looks at the clock.
const TURN: u32 = 3;

#[derive(Clone, Copy)]
struct Answer {
    offset: u64,
    len: u32,
    round: u64,
}

/// See the module's head.
#[derive(Default)]
pub struct Kept {
    page: Option<Arc<dyn File>>,
    /// The handle's number for that page.
    number: u32,
    /// The era and the generation in which the answers are valid.
    of: Option<(u32, u64)>,
    answers: BTreeMap<String, Answer>,
    looked: u32,
    hits: u32,
    /// Number of kept answers that were given again, by all processes.
    given: Arc<AtomicU64>,
}

impl Kept {
    pub fn counting(given: &Arc<AtomicU64>) -> Self {
        Kept { given: Arc::clone(given), ..Kept::default() }
    }

    /// An empty one, for another handle.
    pub fn anew(self) -> Self {
        Kept::counting(&self.given)
    }

    fn generation(&self) -> Option<u64> {
        let mut word = [0; 8];
        let read = self.page.as_ref()?.read_at(&mut word, GENERATION_AT as u64).ok()?;
        (read == word.len()).then_some(u64::from_le_bytes(word))
    }

    /// The present era and generation; `None` if there is no page.
    fn now(&self, shard: &Shard) -> Option<(u32, u64)> {
        let era = shard.era();
        Some((era, self.generation()?))
    }

    fn holds(&self, shard: &Shard) -> bool {
        self.of.is_some() && self.now(shard) == self.of
    }

    /// Looks a key up. With `blindly`, the handle cannot read the page meanwhile, but `Kept` can.
    pub fn find(&mut self, shard: &mut Shard, door: &Door, key: &str, blindly: bool) -> Result<u64, String> {
        self.looked += 1;
        let over = self.looked.is_multiple_of(TURN);
        if !self.holds(shard) {
            self.begin(shard);
        } else if !over && let Some(answer) = self.answers.get(key).copied() {
            self.hits += 1;
            self.given.fetch_add(1, Ordering::SeqCst);
            return self.judge(shard, key, answer);
        }
        door.blind(blindly);
        let found = ask(shard, key);
        if over {
            shard.count_kept(std::mem::take(&mut self.hits));
        }
        door.blind(false);
        let (round, answer) = found?;
        if let Some(answer) = answer.filter(|_| self.holds(shard)) {
            self.answers.insert(key.to_owned(), answer);
        }
        Ok(round)
    }

    fn begin(&mut self, shard: &Shard) {
        self.answers.clear();
        if self.page.is_none() || shard.page_number() != self.number {
            self.page = shard.page_file();
            self.number = shard.page_number();
        }
        self.of = self.now(shard);
    }

    /// Checks that the handle would give the same answer.
    fn judge(&self, shard: &mut Shard, key: &str, answer: Answer) -> Result<u64, String> {
        let Answer { offset, len, round } = answer;
        let said = shard.peek_quickly(key.as_bytes());
        let lent = shard.loan(offset, len) != Loan::Copy;
        // Another process may have made a change in the meantime.
        let changed = self.generation() != self.of.map(|of| of.1);
        if changed || (lent && said == Quick::Hit(offset, len)) {
            return Ok(round);
        }
        Err(format!("{key} was kept at {offset}, the handle says {said:?}, lent: {lent}"))
    }
}

/// Asks the handle, the quick way first. An answer of the quick way may be kept if its memory is lent.
fn ask(shard: &mut Shard, key: &str) -> Result<(u64, Option<Answer>), String> {
    let Quick::Hit(offset, len) = shard.get_quickly(key.as_bytes()) else {
        return Ok((find(shard, key)?, None));
    };
    let mut bytes = vec![0; len as usize];
    if !shard.copy(offset, &mut bytes) {
        return Err(format!("{key} cannot be read"));
    }
    let round = round_of(key, &bytes)?;
    let lent = shard.loan(offset, len) != Loan::Copy;
    Ok((round, lent.then_some(Answer { offset, len, round })))
}
