//! Eight compilers shared one cache folder, and each lost what the others had stored.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::{child, role};
use std::path::Path;
use std::time::{Duration, Instant};
use warmshard_core::stores::artifact::Recovered;

const ROUNDS: u64 = 60;
const CHILDREN: u64 = 4;

/// Adds its own keys, of which it removes some again, and keys that all children put.
#[test]
#[ignore = "a role for a child process"]
fn child_compiles() {
    let Some((dir, arg)) = role() else { return };
    let (me, evicted) = arg.split_once(' ').map_or((arg.as_str(), false), |(me, _)| (me, true));
    let me: u64 = me.parse().unwrap();
    let mut store = store(&dir);
    for round in 0..ROUNDS {
        let (stays, goes) = (format!("stays-{me}-{round}"), format!("goes-{me}-{round}"));
        let pack = (round + me).is_multiple_of(2);
        add(&mut store, &stays, round, 2, pack);
        add(&mut store, &goes, round, 2, !pack);
        let shared = format!("shared-{}", round % 5);
        add(&mut store, &shared, me * ROUNDS + round, 1 + (me as usize % 3), pack);
        if round % 3 == 0 {
            store.flush().unwrap();
        }
        assert!(store.remove(&goes).unwrap() || evicted);
        if round % 4 == 0 {
            store.flush().unwrap();
            assert!(has(&mut store, &stays, round, 2) || evicted);
        }
        for other in 0..CHILDREN {
            let key = format!("stays-{other}-{}", round / 2);
            if let Some(found) = store.get(&key).unwrap() {
                assert!(has(&mut store, &key, round_of(&key, &found), 2) || evicted);
            }
        }
        if let Some(found) = store.get(&shared).unwrap() {
            // Another child may be replacing them now.
            let of_row = round_of(&shared, &found);
            for i in 0..found.output_names.len() {
                let bytes = read(&mut store, &shared, i);
                assert!(
                    bytes.is_none()
                        || bytes == Some(output(&shared, of_row, i))
                        || store.get(&shared).unwrap() != Some(found.clone())
                );
            }
        }
    }
    store.close();
}

/// Evicts a quarter of the store again and again.
#[test]
#[ignore = "a role for a child process"]
fn child_evicts() {
    let Some((dir, arg)) = role() else { return };
    let mut store = store(&dir);
    let end = Instant::now() + Duration::from_millis(arg.parse().unwrap());
    while Instant::now() < end {
        let (_, bytes) = store.totals().unwrap();
        store.evict_to(bytes / 4 * 3).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    store.close();
}

#[test]
fn nothing_flushed_is_lost_and_what_was_removed_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut children: Vec<_> =
        (0..CHILDREN).map(|me| child("child_compiles", dir.path(), &me.to_string())).collect();
    let mut watcher = store(dir.path());
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        for (key, found) in watcher.load_all().unwrap().iter().take(40) {
            if key.starts_with("stays") {
                assert!(has(&mut watcher, key, round_of(key, found), 2), "{key}");
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for mut store in [watcher, store(dir.path())] {
        for me in 0..CHILDREN {
            for round in 0..ROUNDS {
                let stays = format!("stays-{me}-{round}");
                assert!(has(&mut store, &stays, round, 2), "{stays}");
                assert_eq!(store.get(&format!("goes-{me}-{round}")).unwrap(), None);
            }
        }
        for n in 0..5 {
            let key = format!("shared-{n}");
            if let Some(found) = store.get(&key).unwrap() {
                assert!(has(&mut store, &key, round_of(&key, &found), found.output_names.len()), "{key}");
            }
        }
        let rows = all(&mut store);
        assert!(!rows.keys().any(|key| key.starts_with("goes")));
    }
    assert_eq!(*store(dir.path()).recovered(), Recovered::default());
    no_file_without_row(dir.path());
}

#[test]
fn eviction_removes_whole_artifacts() {
    let dir = tempfile::tempdir().unwrap();
    let mut children: Vec<_> =
        (0..2).map(|me| child("child_compiles", dir.path(), &format!("{me} evicted"))).collect();
    children.push(child("child_evicts", dir.path(), "700"));
    children.push(child("child_evicts", dir.path(), "700"));
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut store = store(dir.path());
    for (key, found) in all(&mut store) {
        assert!(has(&mut store, &key, round_of(&key, &found), found.output_names.len()), "{key}");
    }
    assert_eq!(*store.recovered(), Recovered::default());
    no_file_without_row(dir.path());
}

fn no_file_without_row(dir: &Path) {
    let rows = all(&mut store(dir));
    for name in payloads(dir) {
        let key = name.strip_suffix(".pack").or_else(|| name.rsplit_once('_').map(|(key, _)| key)).unwrap();
        assert!(rows.contains_key(key), "{name}");
    }
}

#[test]
fn a_storm_of_kills_leaves_whole_artifacts() {
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut kills = 0u64;
    while start.elapsed() < Duration::from_secs(3) || kills <= 10 {
        let mut children: Vec<_> =
            (0..2).map(|me| child("child_compiles", dir.path(), &me.to_string())).collect();
        std::thread::sleep(Duration::from_millis(15 + kills * 7 % 60));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        kills += 1;
        let mut fresh = store(dir.path());
        assert_eq!(fresh.recovered().failed, None);
        for (key, found) in all(&mut fresh) {
            let (round, count) = (round_of(&key, &found), found.output_names.len());
            assert!(has(&mut fresh, &key, round, count), "{key} after {kills} kills");
        }
        drop(fresh);
        assert_eq!(*store(dir.path()).recovered(), Recovered::default(), "after {kills} kills");
        let left: Vec<_> =
            files(dir.path()).into_iter().filter(|f| f.starts_with(".tmp/") && f != ".tmp/state").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
