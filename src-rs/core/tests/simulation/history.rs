//! What was put, deleted and flushed, and when. From this follows what a look-up may find.
//!
//! One rule covers all cases: what is found must have been put under that key, and nothing that *must* be seen
//! may have come after it. Within a boot, everything must be seen that was done when the look-up began; after a
//! power cut, everything that was flushed.

use std::collections::BTreeMap;

/// Stands for no entry.
pub const NONE: u64 = 0;

/// What a handle finds: for each key the round of its value.
pub type Found = BTreeMap<String, u64>;

#[derive(Debug, Clone)]
struct Write {
    value: u64,
    start: u64,
    /// When the call returned. A write that has not ended, or was not `done`, may be seen but need not be.
    end: Option<u64>,
    done: bool,
    /// Whether it was durable when it ended, without a flush.
    durable: bool,
    group: u64,
    /// The shard's generation afterwards, if this write has raised it; else 0.
    generation: u64,
}

impl Write {
    /// Whether this write ended before another one began.
    fn before(&self, other: &Write) -> bool {
        self.end.is_some_and(|end| end < other.start)
    }

    /// Whether it must be there after a power cut, if the last flush that ended before the cut began at `flushed`.
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
    /// A history that starts with these entries; the other keys have none.
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

    /// A change begins that gives these keys these values, all or none. Returns its number.
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

    /// A change ends, successfully (`done`) or not.
    pub fn end(&mut self, group: u64, now: u64, done: bool, durable: bool, generation: u64) {
        for key in &self.groups[&group] {
            let write = self.writes.get_mut(key).unwrap().iter_mut().find(|w| w.group == group).unwrap();
            (write.end, write.done, write.durable, write.generation) = (Some(now), done, durable, generation);
        }
    }

    /// Notes a flush: everything that was done before `start` survives a power cut after `end`.
    pub fn flushed(&mut self, start: u64, end: u64) {
        self.flushes.push(Flush { start, end });
    }

    /// The lowest generation that the shard may have after a power cut at this time.
    pub fn flushed_generation(&self, cut: u64) -> u64 {
        let flushed = self.flushed_to(cut);
        let durable = self.writes.values().flatten().filter(|w| w.survives(cut, flushed));
        durable.map(|w| w.generation).max().unwrap_or(0)
    }

    /// When the last flush began that had ended by this time.
    fn flushed_to(&self, cut: u64) -> Option<u64> {
        self.flushes.iter().filter(|f| f.end <= cut).map(|f| f.start).max()
    }

    /// Checks the value that a look-up has found for a key in this boot.
    pub fn check_read(&self, key: &str, value: u64, start: u64, end: u64) -> Result<(), String> {
        let must = |w: &Write| w.done && w.end.is_some_and(|e| e < start);
        self.candidates(key, value, end, &must).map(drop)
    }

    /// Checks what was found for all keys in this boot, while nothing was changed.
    pub fn check_now(&self, found: &Found, now: u64) -> Result<(), String> {
        self.check_together(found, now, |w| w.done && w.end.is_some_and(|e| e < now))
    }

    /// Checks what was found for all keys after a power cut.
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
