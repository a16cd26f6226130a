//! What was put, deleted and flushed, and when: from it follows what a look-up may find.
//!
//! One rule serves all: what is found must have been put under that key, and nothing that *must* be seen may have come
//! after it. Within a boot, that is all that was done when the look-up began; after a power cut, all that was flushed.

use std::collections::BTreeMap;

/// Stands for no entry.
pub const NONE: u64 = 0;

/// What was found: for each key the round of its value.
pub type Found = BTreeMap<String, u64>;

#[derive(Debug, Clone)]
struct Write {
    value: u64,
    start: u64,
    /// Without end, or without having been done, it may be seen and need not.
    end: Option<u64>,
    done: bool,
    /// Durable when done, without a flush.
    durable: bool,
    group: u64,
    /// Of the shard when this was done, if it rose.
    generation: u64,
}

impl Write {
    /// Whether this one came wholly before another began.
    fn before(&self, other: &Write) -> bool {
        self.end.is_some_and(|end| end < other.start)
    }

    /// Whether it must be there after a power cut, when the last flush before that began at `flushed`.
    fn survives(&self, cut: u64, flushed: Option<u64>) -> bool {
        let Some(end) = self.end.filter(|end| self.done && *end <= cut) else { return false };
        self.durable || flushed.is_some_and(|flushed| end <= flushed)
    }
}

#[derive(Debug, Clone, Copy)]
struct Flush {
    start: u64,
    end: u64,
}

/// Everything that was done.
#[derive(Debug, Default, Clone)]
pub struct History {
    writes: BTreeMap<String, Vec<Write>>,
    flushes: Vec<Flush>,
    groups: BTreeMap<u64, Vec<String>>,
    next: u64,
}

impl History {
    /// One in which these entries were there for ever, and no others of these keys.
    pub fn from(keys: &[String], found: &Found) -> Self {
        let mut it = History::default();
        for key in keys {
            let value = found.get(key).copied().unwrap_or(NONE);
            let (end, done, durable) = (Some(0), true, true);
            let write = Write { value, start: 0, end, done, durable, group: 0, generation: 0 };
            it.writes.insert(key.clone(), vec![write]);
        }
        it
    }

    /// Something begins: these keys get these values, all together.
    pub fn begin(&mut self, now: u64, values: &Found) -> u64 {
        self.next += 1;
        let group = self.next;
        for (key, value) in values {
            let (value, end, done, durable) = (*value, None, false, false);
            let write = Write { value, start: now, end, done, durable, group, generation: 0 };
            self.writes.get_mut(key).unwrap().push(write);
        }
        self.groups.insert(group, values.keys().cloned().collect());
        group
    }

    /// It ends: done, or failed.
    pub fn end(&mut self, group: u64, now: u64, done: bool, durable: bool, generation: u64) {
        for key in &self.groups[&group] {
            let write = self.writes.get_mut(key).unwrap().iter_mut().find(|w| w.group == group).unwrap();
            (write.end, write.done, write.durable, write.generation) = (Some(now), done, durable, generation);
        }
    }

    /// Everything done before `start` survives from `end` on.
    pub fn flushed(&mut self, start: u64, end: u64) {
        self.flushes.push(Flush { start, end });
    }

    /// The generation that no power cut at this time may take away.
    pub fn flushed_generation(&self, cut: u64) -> u64 {
        let flushed = self.flushed_to(cut);
        let durable = self.writes.values().flatten().filter(|w| w.survives(cut, flushed));
        durable.map(|w| w.generation).max().unwrap_or(0)
    }

    /// When the last flush began that was over at this time.
    fn flushed_to(&self, cut: u64) -> Option<u64> {
        self.flushes.iter().filter(|f| f.end <= cut).map(|f| f.start).max()
    }

    /// Whether a value may be found of a key by a look-up in this boot.
    pub fn check_read(&self, key: &str, value: u64, start: u64, end: u64) -> Result<(), String> {
        let must = |w: &Write| w.done && w.end.is_some_and(|e| e < start);
        self.candidates(key, value, end, &must).map(drop)
    }

    /// Whether all of this may be found together in this boot, while nobody changes anything.
    pub fn check_now(&self, found: &Found, now: u64) -> Result<(), String> {
        self.check_together(found, now, |w| w.done && w.end.is_some_and(|e| e < now))
    }

    /// Whether all of this may be found together after a power cut.
    pub fn check_cut(&self, found: &Found, cut: u64) -> Result<(), String> {
        let flushed = self.flushed_to(cut);
        self.check_together(found, cut, |w| w.survives(cut, flushed))
    }

    fn check_together(&self, found: &Found, now: u64, must: impl Fn(&Write) -> bool) -> Result<(), String> {
        let mut chosen = BTreeMap::new();
        for key in self.writes.keys() {
            let value = found.get(key).copied().unwrap_or(NONE);
            chosen.insert(key, self.candidates(key, value, now, &must)?);
        }
        for (key, value) in found.iter().filter(|(_, value)| **value != NONE) {
            let group = chosen[key][0].group;
            for other in self.groups.get(&group).into_iter().flatten() {
                let there = self.writes[other].iter().find(|w| w.group == group).unwrap();
                if chosen[other].iter().all(|w| w.before(there)) {
                    let instead = found.get(other).copied().unwrap_or(NONE);
                    return Err(format!(
                        "half a batch: {key} is of round {value}, but {other} of {instead}, not {}",
                        there.value
                    ));
                }
            }
        }
        Ok(())
    }

    fn candidates(
        &self,
        key: &str,
        value: u64,
        now: u64,
        must: &impl Fn(&Write) -> bool,
    ) -> Result<Vec<&Write>, String> {
        let writes = &self.writes[key];
        let put = |w: &&Write| w.value == value && w.start < now;
        let hidden = |w: &Write| writes.iter().any(|later| must(later) && w.before(later));
        let good: Vec<&Write> = writes.iter().filter(put).filter(|w| !hidden(w)).collect();
        if good.is_empty() {
            let last: Vec<_> = writes.iter().rev().take(6).collect();
            return Err(format!("{key} is of round {value} at {now}, but the last were {last:?}"));
        }
        Ok(good)
    }
}
