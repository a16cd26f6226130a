//! Half of the outputs were those of yesterday's build, and the program was linked from the mixture.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::faulty::Faulty;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warmshard_core::storage::disk::Disk;
use warmshard_core::stores::artifact::ArtifactStore;
use warmshard_core::{Code, Error};

/// Storage whose n-th rename fails.
fn no_rename() -> (Arc<Faulty>, Arc<AtomicI64>) {
    let left = Arc::new(AtomicI64::new(i64::MAX));
    let counter = Arc::clone(&left);
    let storage = Faulty::new(Disk::default(), move |what, path| {
        if what == "rename" && counter.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    });
    (storage, left)
}

/// Mixes files of rounds 1 and 2 of a key: those whose bit is set are replaced by those of round 2.
fn mix(dir: &Path, bits: usize) {
    let newer = tempfile::tempdir().unwrap();
    flushed(newer.path(), "k", 2, 3, false);
    for i in (0..3).filter(|i| bits & (1 << i) != 0) {
        std::fs::copy(newer.path().join(format!("k_{i}")), dir.join(format!("k_{i}"))).unwrap();
    }
}

/// Checks that everything of `k` is of the same round: that of the row, if there is one.
fn is_unmixed(store: &mut ArtifactStore, what: &str) {
    let row = store.get("k").unwrap().map(|found| round_of("k", &found));
    let mut seen = row;
    for i in 0..3 {
        let Some(found) = read(store, "k", i) else { continue };
        let round = (1..=3).find(|round| found == output("k", *round, i)).unwrap();
        assert_eq!(*seen.get_or_insert(round), round, "{what}: output {i}, row {row:?}");
    }
}

#[test]
fn files_of_two_puts_are_never_served_together() {
    for bits in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        flushed(dir.path(), "k", 1, 3, false);
        let mut alive = store(dir.path());
        alive.get("k").unwrap();
        mix(dir.path(), bits);
        let what = format!("{bits:b}");
        is_unmixed(&mut alive, &what);
        is_unmixed(&mut store(dir.path()), &what);
        // Without the note, as after a reboot, the next open compares; so does an open without an index.
        std::fs::remove_file(dir.path().join(".tmp/state")).unwrap();
        let mut compared = store(dir.path());
        is_unmixed(&mut compared, &what);
        let whole = compared.get("k").unwrap().is_some();
        assert_eq!(whole, bits == 0 || bits == 7, "{what}");
        assert!(!whole || (0..3).all(|i| read(&mut compared, "k", i).is_some()), "{what}");
        assert_eq!(payloads(dir.path()).is_empty(), !whole, "{what}: {:?}", payloads(dir.path()));
        std::fs::remove_file(dir.path().join("index.shard")).unwrap();
        is_unmixed(&mut store(dir.path()), &what);
    }
}

#[test]
fn a_put_that_fails_before_its_first_rename_changes_nothing() {
    for (pack, count) in [(false, 3), (true, 3), (true, 0)] {
        for pack_before in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let (storage, left) = no_rename();
            let mut store = store_on(storage, dir.path());
            add(&mut store, "k", 1, 3, pack_before);
            store.flush().unwrap();
            left.store(0, Ordering::SeqCst);
            let new = outputs("k", 2, count);
            let new: Vec<&[u8]> = new.iter().map(Vec::as_slice).collect();
            assert_eq!(store.put_outputs("k", &new, pack).unwrap_err().code(), Code::NoSpace);
            assert!(has(&mut store, "k", 1, 3));
            assert!(has(&mut self::store(dir.path()), "k", 1, 3));
            assert!(
                payloads(dir.path()).iter().all(|name| name.starts_with('k')),
                "{:?}",
                payloads(dir.path())
            );
        }
    }
}

#[test]
fn a_put_that_fails_between_two_renames_leaves_no_mixture() {
    for nth in 1..3 {
        let dir = tempfile::tempdir().unwrap();
        let (storage, left) = no_rename();
        let mut store = store_on(storage, dir.path());
        add(&mut store, "k", 1, 3, false);
        add(&mut store, "other", 1, 3, false);
        store.flush().unwrap();
        left.store(nth, Ordering::SeqCst);
        let new = outputs("k", 2, 3);
        let new: Vec<&[u8]> = new.iter().map(Vec::as_slice).collect();
        assert!(store.put_outputs("k", &new, false).is_err());
        assert_eq!(store.get("k").unwrap(), None);
        assert_eq!((0..3).find_map(|i| read(&mut store, "k", i)), None);
        is_unmixed(&mut self::store(dir.path()), "before the flush");
        store.flush().unwrap();
        let mut fresh = self::store(dir.path());
        assert!(fresh.get("k").unwrap().is_none() && has(&mut fresh, "other", 1, 3));
        assert_eq!(payloads(dir.path()), ["other_0", "other_1", "other_2"]);
        add(&mut store, "k", 3, 2, false);
        store.close();
        assert!(has(&mut self::store(dir.path()), "k", 3, 2));
    }
}

#[test]
fn metadata_of_earlier_outputs_is_not_served_with_later_ones() {
    for pack in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        flushed(dir.path(), "k", 1, 2, pack);
        let mut dies = store(dir.path());
        assert!(has(&mut dies, "k", 1, 2));
        put(&mut dies, "k", &outputs("k", 2, 2), pack);
        // The process that put the outputs still has the old metadata until it inserts new.
        assert_eq!(dies.get("k").unwrap(), Some(meta("k", 1, 2)));
        drop(dies);
        let mut next = store(dir.path());
        is_unmixed(&mut next, "after the restart");
        assert_eq!((next.get("k").unwrap(), read(&mut next, "k", 0)), (None, Some(output("k", 2, 0))));
    }
}

#[test]
fn of_two_handles_that_put_one_key_one_put_remains() {
    for order in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let (mut a, mut b) = (store(dir.path()), store(dir.path()));
        add(&mut a, "k", 1, 2, false);
        add(&mut b, "k", 2, 2 + order % 2, order / 2 == 1);
        match order / 2 {
            0 => (a.flush().unwrap(), b.flush().unwrap()),
            _ => (b.flush().unwrap(), a.flush().unwrap()),
        };
        for store in [&mut a, &mut b, &mut store(dir.path())] {
            is_unmixed(store, &format!("order {order}"));
            let found = store.get("k").unwrap().unwrap();
            let (round, count) = (round_of("k", &found), found.output_names.len());
            assert!(has(store, "k", round, count), "order {order}: round {round}");
        }
    }
}

#[test]
fn a_rebuilt_row_does_not_replace_what_others_flush() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = store(dir.path());
    maker.insert("k", meta("k", 1, 2)).unwrap();
    put(&mut maker, "k", &outputs("k", 1, 2), true);
    let mut finder = store(dir.path());
    assert_eq!(finder.get("k").unwrap(), Some(meta("k", 1, 2)));
    maker.insert("k", meta("k", 2, 2)).unwrap();
    maker.flush().unwrap();
    assert_eq!(finder.get("k").unwrap(), Some(meta("k", 2, 2)));
    finder.insert("mine", meta("mine", 1, 0)).unwrap();
    finder.flush().unwrap();
    assert_eq!(store(dir.path()).get("k").unwrap(), Some(meta("k", 2, 2)));
    // Nor does a rebuilt row come back after others have removed the key.
    maker.insert("gone", meta("gone", 1, 2)).unwrap();
    put(&mut maker, "gone", &outputs("gone", 1, 2), true);
    assert!(finder.get("gone").unwrap().is_some());
    maker.remove("gone").unwrap();
    maker.flush().unwrap();
    finder.flush().unwrap();
    assert_eq!(all(&mut store(dir.path())).len(), 2);
}
