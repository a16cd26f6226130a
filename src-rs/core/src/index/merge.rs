//! Merging sorted runs of entries, newest first.

use super::Entry;
use std::cmp::Reverse;

/// Merges a newer and an older run, both sorted by hash. If `same` says that two entries have the same
/// key and producer, only the newer one is kept.
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
        // Entries with the same hash are at the end of `out`; nearly always there are none.
        let shadowed = out.iter().rev().take_while(|e: &&Entry| e.hash == old.hash).any(|e| same(*e, old));
        if !shadowed {
            out.push(old);
        }
    }
    out.extend(new);
    out
}

/// From this many entries on, dealing them into heaps by their top bits before sorting is faster.
const DEALT_FROM: usize = 1024;
/// Average number of entries in a heap, if hashes are spread evenly.
const DEALT_TOGETHER: usize = 8;

/// Sorts entries by hash. Of entries with the same hash, the newest comes first.
pub fn sort(entries: &mut Vec<Entry>) {
    // Frames are appended in order, so the one at a higher offset is newer.
    let newest_first = |e: &Entry| (e.hash, Reverse(e.place.offset()));
    if entries.len() < DEALT_FROM {
        return entries.sort_unstable_by_key(newest_first);
    }
    let bits = (entries.len() / DEALT_TOGETHER).ilog2();
    let heap = |e: &Entry| (e.hash >> u64::BITS.saturating_sub(bits)) as usize;
    let mut ends = vec![0usize; 1 << bits];
    for entry in &*entries {
        if let Some(count) = ends.get_mut(heap(entry)) {
            *count = count.saturating_add(1);
        }
    }
    let mut end = 0usize;
    for count in &mut ends {
        // Turns the heap's count into its start. Dealing its entries then moves that to its end.
        (*count, end) = (end, end.saturating_add(*count));
    }
    let mut dealt = entries.clone();
    for entry in &*entries {
        if let Some(at) = ends.get_mut(heap(entry))
            && let Some(to) = dealt.get_mut(*at)
        {
            *to = *entry;
            *at = at.saturating_add(1);
        }
    }
    let mut from = 0;
    for end in ends {
        if let Some(heap) = dealt.get_mut(from..end) {
            heap.sort_unstable_by_key(newest_first);
        }
        from = end;
    }
    *entries = dealt;
}

/// Removes entries that a newer frame of the same key and producer replaces. The entries must be sorted by `sort`.
pub fn dedup<F>(sorted: Vec<Entry>, mut same: F) -> Vec<Entry>
where
    F: FnMut(Entry, Entry) -> bool,
{
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
    fn the_newer_entry_of_a_key_stays_and_other_keys_with_the_same_hash_stay() {
        let newer = run(&[(1, 160), (3, 176)]);
        let older = run(&[(1, 16), (2, 32), (3, 48), (3, 64)]);
        // 160 replaces 16; 176 replaces 64 only: 48 is another key with the same hash.
        let same = |a: Entry, b: Entry| matches!((a.place.offset(), b.place.offset()), (160, 16) | (176, 64));
        assert_eq!(merge(&newer, &older, same), run(&[(1, 160), (2, 32), (3, 176), (3, 48)]));
    }

    #[test]
    fn many_entries_are_sorted_however_their_hashes_are_spread() {
        for count in [DEALT_FROM - 1, DEALT_FROM, 5000, 70_000] {
            for (shift, few) in [(0, u64::MAX), (40, u64::MAX), (63, u64::MAX), (0, 7), (20, 1 << 30)] {
                let of = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % few) >> shift;
                let mut all: Vec<Entry> = (1..=count as u64)
                    .map(|i| Entry { hash: of(i), place: Place::new(i * 16, i % 3 == 0) })
                    .collect();
                let mut expected = all.clone();
                expected.sort_by_key(|e| (e.hash, Reverse(e.place.offset())));
                sort(&mut all);
                assert!(all == expected, "{count} {shift} {few}");
            }
        }
    }

    #[test]
    fn the_last_of_a_batch_wins() {
        let mut all = run(&[(5, 16), (4, 32), (5, 48)]);
        sort(&mut all);
        assert_eq!(dedup(all, |_, _| true), run(&[(4, 32), (5, 48)]));
    }
}
