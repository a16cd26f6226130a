//! Merging sorted runs of entries, newest first.

use super::Entry;

/// Merges a newer and an older run, both sorted by hash. Of two entries that `same` takes for one
/// key and producer, the newer stays.
pub fn merge<F>(newer: &[Entry], older: &[Entry], mut same: F) -> Vec<Entry>
where
    F: FnMut(Entry, Entry) -> bool,
{
    let mut out = Vec::with_capacity(newer.len().saturating_add(older.len()));
    let mut new = newer.iter().copied().peekable();
    for old in older.iter().copied() {
        while let Some(n) = new.next_if(|n| n.hash <= old.hash) {
            out.push(n);
        }
        // Entries of equal hash stand at the end of `out`; nearly always there is none.
        let shadowed = out.iter().rev().take_while(|e: &&Entry| e.hash == old.hash).any(|e| same(*e, old));
        if !shadowed {
            out.push(old);
        }
    }
    out.extend(new);
    out
}

/// Sorts entries given oldest first, and drops those that a later one replaces.
pub fn sort_and_dedup<F>(entries: Vec<Entry>, mut same: F) -> Vec<Entry>
where
    F: FnMut(Entry, Entry) -> bool,
{
    let mut sorted = entries;
    // Frames are appended in order: a higher offset is the newer one.
    sorted.sort_unstable_by_key(|e| (e.hash, std::cmp::Reverse(e.place.offset())));
    if sorted.is_sorted_by(|a, b| a.hash < b.hash) {
        return sorted;
    }
    let mut out: Vec<Entry> = Vec::with_capacity(sorted.len());
    for old in sorted {
        let shadowed = out.iter().rev().take_while(|e| e.hash == old.hash).any(|e| same(*e, old));
        if !shadowed {
            out.push(old);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn run(items: &[(u64, u64)]) -> Vec<Entry> {
        items.iter().map(|(hash, at)| Entry { hash: *hash, place: Place::new(*at, false) }).collect()
    }

    #[test]
    fn the_newer_of_two_stays_and_strangers_of_equal_hash_both_do() {
        let newer = run(&[(1, 160), (3, 176)]);
        let older = run(&[(1, 16), (2, 32), (3, 48), (3, 64)]);
        // 160 replaces 16; 176 replaces 64 only: 48 is another key with the same hash.
        let same = |a: Entry, b: Entry| matches!((a.place.offset(), b.place.offset()), (160, 16) | (176, 64));
        assert_eq!(merge(&newer, &older, same), run(&[(1, 160), (2, 32), (3, 176), (3, 48)]));
    }

    #[test]
    fn the_last_of_a_batch_wins() {
        let all = run(&[(5, 16), (4, 32), (5, 48)]);
        assert_eq!(sort_and_dedup(all, |_, _| true), run(&[(4, 32), (5, 48)]));
    }
}
