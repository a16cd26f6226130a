//! The cache was told to shrink, and first dropped what the next build needed.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::{quiet, read_only};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;
use warmshard_core::clock::now_ns;
use warmshard_core::header::Header;
use warmshard_core::limits::{HEADER_LEN, RECENCY_BITS};
use warmshard_core::stores::artifact::{ArtifactOptions, ArtifactStore, Meta};
use warmshard_core::{Code, Options, key};

/// Adds an artifact of `size` bytes that was stored `seconds` ago.
fn aged(store: &mut ArtifactStore, key: &str, size: u64, seconds: u64, pack: bool) {
    put(store, key, &outputs(key, size, 2), pack);
    let stored_ns = now_ns() - seconds * 1_000_000_000;
    store.insert(key, Meta { total_size: size, stored_ns, ..meta(key, size, 2) }).unwrap();
}

fn keys(store: &mut ArtifactStore) -> Vec<String> {
    all(store).into_keys().collect()
}

fn five(dir: &Path) -> ArtifactStore {
    let mut store = store(dir);
    for (n, key) in ["e", "c", "a", "d", "b"].into_iter().enumerate() {
        aged(&mut store, key, 10, 50 - n as u64 * 10, n % 2 == 0);
    }
    store
}

/// The same, flushed, in a store in which no two keys share a bucket of the recency table, and with it the
/// time of their last use. Each store has another hash seed; in one of four hundred, two of the keys do.
fn five_apart() -> (tempfile::TempDir, ArtifactStore) {
    loop {
        let dir = tempfile::tempdir().unwrap();
        let mut store = five(dir.path());
        store.flush().unwrap();
        let index = std::fs::read(dir.path().join("index.shard")).unwrap();
        let seed =
            Header::decode(index.first_chunk::<{ HEADER_LEN as usize }>().unwrap(), None).unwrap().seed;
        let bucket = |key: &str| key::hash(key.as_bytes(), seed) >> (64 - RECENCY_BITS.start());
        if ["a", "b", "c", "d", "e"].map(bucket).into_iter().collect::<HashSet<_>>().len() == 5 {
            return (dir, store);
        }
    }
}

#[test]
fn what_was_stored_longest_ago_goes_first_and_no_more_than_needed() {
    for flushed in [false, true] {
        for (bytes, stays) in [(50, 5), (49, 4), (40, 4), (31, 3), (10, 1), (9, 0), (0, 0)] {
            let dir = tempfile::tempdir().unwrap();
            let mut store = five(dir.path());
            if flushed {
                store.close();
                store = self::store(dir.path());
            }
            assert_eq!(store.evict_to(bytes).unwrap(), 5 - stays as u64);
            let mut left = ["e", "c", "a", "d", "b"][5 - stays..].to_vec();
            left.sort_unstable();
            for store in [&mut store, &mut self::store(dir.path())] {
                assert_eq!(keys(store), left, "{bytes}");
                assert!(store.totals().unwrap().1 <= bytes);
            }
            // The files of evicted keys are gone.
            let names: Vec<_> = payloads(dir.path()).iter().map(|name| name[..1].to_owned()).collect();
            assert!(names.iter().all(|key| left.contains(&key.as_str())), "{bytes}: {names:?}");
            assert_eq!(store.evict_to(bytes).unwrap(), 0);
        }
    }
}

#[test]
fn a_use_counts_more_than_the_storing_and_is_remembered_by_the_next_process() {
    for by_output in [false, true] {
        for reopened in [false, true] {
            let (dir, mut store) = five_apart();
            for key in ["e", "a"] {
                if by_output {
                    assert!(store.output(key, 1).unwrap().is_some());
                } else {
                    assert!(store.get(key).unwrap().is_some());
                }
                std::thread::sleep(Duration::from_millis(40));
            }
            if reopened {
                // As if the process had been killed: the store is never closed.
                std::mem::forget(store);
                store = self::store(dir.path());
            }
            assert_eq!(store.evict_to(30).unwrap(), 2);
            assert_eq!(keys(&mut store), ["a", "b", "e"], "{by_output} {reopened}");
            assert_eq!(store.evict_to(10).unwrap(), 2);
            assert_eq!(keys(&mut store), ["a"], "{by_output} {reopened}");
        }
    }
}

#[test]
fn many_rows_do_not_blur_when_each_was_used() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    for n in 0..3000 {
        store.insert(&format!("k{n}"), Meta { total_size: 1, ..meta("k", n % 60, 1) }).unwrap();
    }
    store.flush().unwrap();
    for n in 0..300 {
        assert!(store.get(&format!("k{}", n * 10)).unwrap().is_some());
    }
    store.close();
    let mut store = self::store(dir.path());
    store.evict_to(300).unwrap();
    let kept = keys(&mut store).iter().filter(|key| key.ends_with('0')).count();
    assert!(kept > 250, "kept only {kept} of the 300 that were used");
}

#[test]
fn uses_before_the_first_flush_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = five(dir.path());
    store.get("e").unwrap();
    store.close();
    let mut store = self::store(dir.path());
    store.evict_to(10).unwrap();
    assert_eq!(keys(&mut store), ["e"]);
}

#[test]
fn listing_the_artifacts_does_not_count_as_a_use() {
    let dir = tempfile::tempdir().unwrap();
    five(dir.path()).close();
    let mut store = store(dir.path());
    store.load_all().unwrap();
    store.totals().unwrap();
    store.evict_to(20).unwrap();
    assert_eq!(keys(&mut store), ["b", "d"]);
}

#[test]
fn outputs_without_metadata_are_evicted_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = five(dir.path());
    put(&mut store, "hidden", &[vec![1; 500], vec![2; 300]], false);
    store.close();
    let mut store = self::store(dir.path());
    assert_eq!(store.totals().unwrap(), (5, 50), "they are not in the totals");
    assert_eq!(store.evict_to(900).unwrap(), 0);
    assert!(read(&mut store, "hidden", 1).is_some(), "with them the store still fits");
    assert_eq!(store.evict_to(800).unwrap(), 0);
    assert_eq!(read(&mut store, "hidden", 1), None);
    assert_eq!(keys(&mut store).len(), 5);
    assert!(!payloads(dir.path()).iter().any(|name| name.starts_with("hidden")));
}

#[test]
fn a_flush_keeps_the_store_within_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let options = ArtifactOptions { max_bytes: 1000, ..with(quiet()) };
    let mut store = ArtifactStore::open(dir.path(), options.clone()).unwrap();
    for n in 0..100 {
        aged(&mut store, &format!("k{n:03}"), 90, 1000 - n, true);
        if n % 7 == 0 {
            store.flush().unwrap();
            assert!(store.totals().unwrap().1 <= 1000);
        }
    }
    store.flush().unwrap();
    let left: Vec<String> = (89..100).map(|n| format!("k{n:03}")).collect();
    assert_eq!(keys(&mut store), left);
    assert_eq!(payloads(dir.path()).len(), 11);
    store.close();
    // Many processes that each add little are bounded in the long run.
    for n in 100..600 {
        let mut store = ArtifactStore::open(dir.path(), options.clone()).unwrap();
        aged(&mut store, &format!("k{n}"), 20, 1000 - n, true);
        store.close();
    }
    let (_, bytes) = self::store(dir.path()).totals().unwrap();
    // About one `close` in three measures the store, so a hundred in a row without are practically impossible.
    assert!(bytes < 3000, "{bytes}");
}

#[test]
fn outputs_just_put_are_not_evicted_before_their_metadata_is_inserted() {
    let dir = tempfile::tempdir().unwrap();
    let options = ArtifactOptions { max_bytes: 1000, ..with(quiet()) };
    let mut store = ArtifactStore::open(dir.path(), options).unwrap();
    aged(&mut store, "old", 900, 10, true);
    put(&mut store, "new", &[vec![1; 900]], false);
    store.flush().unwrap();
    assert_eq!(keys(&mut store), Vec::<String>::new());
    store.insert("new", Meta { total_size: 900, ..meta("new", 1, 1) }).unwrap();
    store.flush().unwrap();
    assert!(store.get("new").unwrap().is_some() && read(&mut store, "new", 0).is_some());
}

#[test]
fn what_an_earlier_host_build_left_is_evicted_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = store_with(dir.path(), common::by("old"));
    for n in 0..6 {
        aged(&mut old, &format!("old{n}"), 100, 1000 - n, n % 2 == 0);
    }
    aged(&mut old, "both", 100, 2000, false);
    old.close();
    let mut new = store(dir.path());
    aged(&mut new, "both", 100, 500, false);
    aged(&mut new, "new", 100, 500, true);
    aged(&mut new, "older", 100, 999, true);
    new.flush().unwrap();
    assert_eq!(new.totals().unwrap(), (3, 300));
    assert_eq!(new.evict_to(1000).unwrap(), 0);
    // The oldest go: the old row of `both` (its files belong to the new row by now), old0 and old1.
    assert_eq!(new.evict_to(700).unwrap(), 3);
    assert_eq!(keys(&mut new), ["both", "new", "older"]);
    assert!(read(&mut new, "both", 1).is_some());
    assert_eq!(new.evict_to(200).unwrap(), 5);
    assert_eq!(keys(&mut new), ["both", "new"]);
    assert_eq!(payloads(dir.path()), ["both_0", "both_1", "new.pack"]);
    assert!(all(&mut store_with(dir.path(), common::by("old"))).is_empty());
}

#[test]
fn a_read_only_store_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    five(dir.path()).close();
    let before: Vec<_> = files(dir.path());
    let mut store = store_with(dir.path(), Options { lock_timeout_ms: 0, ..read_only() });
    let refused = [
        store.evict_to(0).map(drop),
        store.insert("x", meta("x", 1, 0)),
        store.put_outputs("x", &[], true),
        store.remove("a").map(drop),
        store.clear().map(drop),
    ];
    assert!(refused.iter().all(|r| r.as_ref().unwrap_err().code() == Code::ReadOnly), "{refused:?}");
    store.flush().unwrap();
    assert!(store.get("a").unwrap().is_some());
    store.close();
    assert_eq!(files(dir.path()), before);
    let missing = dir.path().join("missing");
    assert_eq!(store_with(&missing, read_only()).totals().unwrap(), (0, 0));
    assert!(!missing.exists());
}
