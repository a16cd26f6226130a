//! The compiler was killed in the middle of its work. The next build found half an artifact, or had lost all
//! of them.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::faulty::Faulty;
use common::{child, role};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warmshard_core::storage::disk::Disk;
use warmshard_core::stores::artifact::ArtifactStore;

/// What a child does to a store that contains round 1 of `old` and of `gone`, both flushed.
const WORK: [&str; 7] = ["put first", "insert first", "put only", "again", "other layout", "remove", "evict"];

fn work(store: &mut ArtifactStore, name: &str, pack: bool) {
    match name {
        "put first" => add(store, "new", 2, 2, pack),
        "insert first" => {
            store.insert("new", meta("new", 2, 2)).unwrap();
            put(store, "new", &outputs("new", 2, 2), pack);
        }
        "put only" => put(store, "new", &outputs("new", 2, 2), pack),
        "again" => add(store, "old", 2, 3, pack),
        "other layout" => add(store, "old", 2, 1, !pack),
        "remove" => assert!(store.remove("gone").unwrap()),
        _ => assert_eq!(store.evict_to(150).unwrap(), 1),
    }
    store.flush().unwrap();
}

/// Storage that kills the process at its n-th call that changes something.
fn deadly(left: i64) -> (Arc<Faulty>, Arc<AtomicI64>) {
    let calls = Arc::new(AtomicI64::new(left));
    let counter = Arc::clone(&calls);
    let storage = Faulty::with_removals(Disk::default(), move |_, _| {
        if counter.fetch_sub(1, Ordering::SeqCst) == 0 {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
        }
        Ok(())
    });
    (storage, calls)
}

#[test]
#[ignore = "a role for a child process"]
fn child_works() {
    let Some((dir, arg)) = role() else { return };
    let mut fields = arg.split('|');
    let (name, pack, nth) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
    let (storage, left) = deadly(i64::MAX);
    let mut store = store_on(storage, &dir);
    left.store(nth.parse().unwrap(), Ordering::SeqCst);
    work(&mut store, name, pack == "true");
}

fn prepare(dir: &Path, pack: bool) {
    let mut store = store(dir);
    add(&mut store, "gone", 1, 2, pack);
    add(&mut store, "old", 1, 2, pack);
    store.close();
}

/// Runs a child again and again, and kills it at another call each time. Returns the number of calls.
fn storm(name: &str, pack: bool) -> i64 {
    for nth in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        prepare(dir, pack);
        let status = child("child_works", dir, &format!("{name}|{pack}|{nth}")).wait().unwrap();
        let what = format!("{name}, pack {pack}, call {nth}");
        if status.success() {
            return nth;
        }
        check(dir, name, pack, &what);
    }
    0
}

fn check(dir: &Path, name: &str, pack: bool, what: &str) {
    let mut first = store(dir);
    let recovered = first.recovered().clone();
    assert_eq!((&recovered.rejected, &recovered.failed), (&None, &None), "{what}");
    check_one(&mut first, name, pack, what, false);
    // The same from the index alone, which `close` has flushed.
    first.close();
    let mut second = store(dir);
    let nothing = warmshard_core::stores::artifact::Recovered::default();
    assert_eq!(*second.recovered(), nothing, "{what}: the first open should have repaired it: {recovered:?}");
    check_one(&mut second, name, pack, what, true);
    let left: Vec<_> =
        files(dir).into_iter().filter(|f| f.starts_with(".tmp/") && f != ".tmp/state").collect();
    assert!(left.is_empty(), "{what}: {left:?}");
    // The same work succeeds now.
    if name != "evict" && (name != "remove" || second.get("gone").unwrap().is_some()) {
        work(&mut second, name, pack);
    }
}

fn check_one(store: &mut ArtifactStore, name: &str, pack: bool, what: &str, settled: bool) {
    let rows = all(store);
    for key in ["old", "gone", "new"] {
        let Some(found) = store.get(key).unwrap() else {
            assert!(!rows.contains_key(key), "{what}: {key}");
            continue;
        };
        assert_eq!(rows.get(key), Some(&found), "{what}: {key}");
        let count = found.output_names.len();
        assert!(
            has(store, key, round_of(key, &found), count),
            "{what}: {key} has other outputs than its row says"
        );
    }
    if name != "again" && name != "other layout" {
        assert!(rows.contains_key("old"), "{what}: lost the row of an unrelated key");
    }
    if name != "remove" && name != "evict" {
        assert!(rows.contains_key("gone"), "{what}: lost the row of an unrelated key");
    }
    if name == "put only" {
        assert!(!rows.contains_key("new"));
        let found: Vec<_> = (0..2).map(|i| read(store, "new", i)).collect();
        let given: Vec<_> = outputs("new", 2, 2).into_iter().map(Some).collect();
        let torn = !pack && found == [None, None];
        assert!(found == given || found.iter().all(Option::is_none) || torn, "{what}: {settled}");
    }
}

#[test]
fn a_kill_at_any_call_leaves_whole_artifacts() {
    for pack in [false, true] {
        for name in WORK {
            let calls = storm(name, pack);
            assert!(calls > 4, "{name}: {calls}");
        }
    }
}

/// Takes the steps in its argument, and aborts without closing the store.
#[test]
#[ignore = "a role for a child process"]
fn child_dies_unflushed() {
    let Some((dir, arg)) = role() else { return };
    let mut store = store(&dir);
    for key in ["one", "two", "key/three"] {
        let round = 5;
        for step in arg.split(' ') {
            match step {
                "flat" => put(&mut store, key, &outputs(key, round, 2), false),
                "pack" => put(&mut store, key, &outputs(key, round, 2), true),
                "flush" => store.flush().unwrap(),
                _ => store.insert(key, meta(key, round, 2)).unwrap(),
            }
        }
    }
    std::process::abort();
}

fn die(dir: &Path, steps: &str) {
    assert!(!child("child_dies_unflushed", dir, steps).wait().unwrap().success());
}

#[test]
fn the_row_of_a_payload_that_carries_its_metadata_is_rebuilt() {
    for steps in ["insert flat", "insert pack", "flat flush insert flush", "pack insert flush"] {
        let dir = tempfile::tempdir().unwrap();
        die(dir.path(), steps);
        let mut store = store(dir.path());
        for key in ["one", "two", "key/three"] {
            assert!(has(&mut store, key, 5, 2), "{steps}: {key}");
        }
        assert_eq!(all(&mut store).len(), 3);
        let unflushed = !steps.ends_with("flush");
        assert_eq!(store.recovered().rows, if unflushed { 3 } else { 0 }, "{steps}");
    }
}

#[test]
fn a_payload_without_metadata_keeps_its_outputs_but_is_not_listed() {
    for steps in ["flat", "pack", "flat flush", "pack flush"] {
        let dir = tempfile::tempdir().unwrap();
        die(dir.path(), steps);
        let mut first = store(dir.path());
        for store in [&mut first, &mut store_with(dir.path(), common::read_only()), &mut store(dir.path())] {
            for key in ["one", "two", "key/three"] {
                assert_eq!(store.get(key).unwrap(), None, "{steps}");
                assert_eq!(read(store, key, 1), Some(output(key, 5, 1)), "{steps}");
            }
            assert!(all(store).is_empty(), "{steps}");
        }
        // The host inserts metadata for one of them; the others are evicted first.
        first.insert("one", meta("one", 5, 2)).unwrap();
        assert_eq!(first.evict_to(105).unwrap(), 0);
        assert!(has(&mut first, "one", 5, 2));
        let stays = if steps.starts_with("pack") { vec!["one.pack"] } else { vec!["one_0", "one_1"] };
        assert_eq!(payloads(dir.path()), stays, "{steps}");
    }
}

#[test]
fn what_a_living_process_has_not_flushed_is_not_swept() {
    let dir = tempfile::tempdir().unwrap();
    let markers = || payloads(dir.path()).into_iter().filter(|name| name.starts_with(".tmp/live")).count();
    flushed(dir.path(), "flushed", 1, 1, true);
    let mut alive = store(dir.path());
    put(&mut alive, "mine", &outputs("mine", 1, 2), false);
    die(dir.path(), "insert pack");
    assert_eq!(markers(), 2);
    let mut first = store(dir.path());
    assert_eq!((first.recovered().rows, first.recovered().swept), (3, 0));
    assert!(has(&mut first, "two", 5, 2) && first.get("mine").unwrap().is_none());
    // A comparison that could not be finished is not repeated at each open while a process is still at work.
    die(dir.path(), "flat");
    assert_eq!((store(dir.path()).recovered().rows, markers()), (0, 3));
    alive.insert("mine", meta("mine", 1, 2)).unwrap();
    alive.flush().unwrap();
    assert!(has(&mut alive, "mine", 1, 2) && has(&mut store(dir.path()), "mine", 1, 2));
    assert_eq!(markers(), 0);
}
