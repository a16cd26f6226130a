//! The disk was full for a minute. Since then each flush fails, or the store has lost artifacts.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::faulty::Faulty;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use warmshard_core::storage::disk::Disk;
use warmshard_core::stores::artifact::{ArtifactStore, Recovered};
use warmshard_core::{Code, Error, Result};

/// Fails the call number `left`, counting calls that change something; with `lasting`, all later ones, too.
#[derive(Debug, Default)]
struct Fault {
    left: AtomicI64,
    lasting: bool,
    calls: Mutex<Vec<String>>,
}

const OFF: i64 = i64::MIN / 2;

impl Fault {
    fn new(lasting: bool) -> Arc<Self> {
        Arc::new(Fault { left: AtomicI64::new(OFF), lasting, ..Fault::default() })
    }

    fn strike(&self, what: &'static str, path: &Path) -> Result<()> {
        self.calls.lock().unwrap().push(format!("{what} {}", path.display()));
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left == 0 || (self.lasting && left < 0 && left > -1_000_000) {
            return Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }

    fn storage(self: &Arc<Self>) -> Arc<Faulty> {
        let fault = Arc::clone(self);
        Faulty::with_removals(Disk::default(), move |what, path| fault.strike(what, path))
    }
}

type Step = fn(&mut ArtifactStore) -> Result<()>;

fn try_put(store: &mut ArtifactStore, key: &str, count: usize, pack: bool) -> Result<()> {
    let given = outputs(key, 2, count);
    let given: Vec<&[u8]> = given.iter().map(Vec::as_slice).collect();
    store.put_outputs(key, &given, pack)?;
    store.insert(key, meta(key, 2, count))
}

const STEPS: [(&str, Step); 8] = [
    ("new flat", |s| try_put(s, "new", 3, false)),
    ("new pack", |s| try_put(s, "new", 3, true)),
    ("again", |s| try_put(s, "old", 2, false)),
    ("fewer", |s| try_put(s, "old", 1, false)),
    ("other layout", |s| try_put(s, "old", 2, true)),
    ("described anew", |s| s.insert("old", meta("old", 2, 2))),
    ("remove", |s| s.remove("old").map(drop)),
    ("clear", |s| s.clear().map(drop)),
];

/// Checks that each artifact is complete. With `replaced`, outputs may already be gone while their row is
/// still there.
fn is_sound(store: &mut ArtifactStore, replaced: bool, what: &str) {
    for (key, found) in all(store) {
        assert_eq!(store.get(&key).unwrap().as_ref(), Some(&found), "{what}");
        let round = round_of(&key, &found);
        let count = found.output_names.len();
        // After "described anew" the outputs are still those of round 1.
        let outputs: Vec<_> = (0..count).map(|i| read(store, &key, i)).collect();
        let of = |round| (0..count).map(|i| Some(output(&key, round, i))).collect::<Vec<_>>();
        let left =
            |(i, found): (usize, &Option<Vec<u8>>)| found.is_none() || *found == Some(output(&key, round, i));
        let none = replaced && outputs.iter().enumerate().all(left);
        assert!(
            none || outputs == of(round) || outputs == of(1),
            "{what}: {key} of round {round} has other outputs"
        );
    }
}

/// Runs one step with one fault. Returns whether the fault struck.
fn try_one(name: &str, step: Step, nth: i64, lasting: bool) -> bool {
    let what = format!("{name}, call {nth}, lasting {lasting}");
    let dir = tempfile::tempdir().unwrap();
    let fault = Fault::new(lasting);
    let mut store = store_on(fault.storage(), dir.path());
    add(&mut store, "old", 1, 2, false);
    add(&mut store, "kept", 1, 2, true);
    store.flush().unwrap();
    fault.left.store(nth, Ordering::SeqCst);
    let outcome = step(&mut store).and_then(|()| store.flush());
    let struck = fault.left.load(Ordering::SeqCst) < 0;
    let fresh = &mut store_on(fault.storage(), dir.path());
    // A lasting fault still strikes.
    is_sound(&mut store, false, &what);
    is_sound(fresh, true, &what);
    assert!(name == "clear" || has(fresh, "kept", 1, 2), "{what}");
    if let Err(error) = &outcome {
        assert_eq!(error.code(), Code::NoSpace, "{what}");
    } else if !struck || !lasting {
        assert!(struck || outcome.is_ok());
    }
    fault.left.store(OFF, Ordering::SeqCst);
    store.flush().unwrap();
    is_sound(&mut store, false, &what);
    let rows = all(&mut store);
    assert!(name == "clear" || rows.contains_key("kept"), "{what}: lost the row of an unrelated key");
    assert!(name == "clear" || has(&mut store, "kept", 1, 2), "{what}");
    if name.starts_with("new") {
        assert!(has(&mut store, "old", 1, 2), "{what}");
    }
    step(&mut store).unwrap();
    store.flush().unwrap();
    let wanted = all(&mut store);
    for store in [&mut store, &mut self::store(dir.path())] {
        is_sound(store, false, &what);
        assert_eq!(all(store), wanted, "{what}");
    }
    store.close();
    let last = self::store(dir.path());
    assert_eq!(*last.recovered(), Recovered::default(), "{what}");
    let leftovers: Vec<_> =
        files(dir.path()).into_iter().filter(|f| f.starts_with(".tmp/") && f != ".tmp/state").collect();
    // If unlinking fails, too, the next comparison sweeps.
    assert!(leftovers.is_empty() || struck, "{what}: {leftovers:?}");
    struck
}

#[test]
fn a_failed_call_costs_at_most_its_own_key_and_the_next_flush_works() {
    let mut struck = 0;
    for lasting in [false, true] {
        for (name, step) in STEPS {
            for nth in 0..60 {
                if !try_one(name, step, nth, lasting) {
                    break;
                }
                struck += 1;
            }
        }
    }
    assert!(struck > 100, "only {struck} faults struck");
}

#[test]
fn a_store_opens_while_the_disk_fails_and_is_repaired_later() {
    for damage in ["index.shard", ".tmp/state", "k_1"] {
        for lasting in [false, true] {
            for nth in 0..40 {
                let dir = tempfile::tempdir().unwrap();
                flushed(dir.path(), "k", 1, 2, false);
                flushed(dir.path(), "l", 1, 2, true);
                std::fs::remove_file(dir.path().join(damage)).unwrap();
                if damage == "k_1" {
                    std::fs::remove_file(dir.path().join(".tmp/state")).unwrap();
                }
                let fault = Fault::new(lasting);
                fault.left.store(nth, Ordering::SeqCst);
                let what = format!("{damage}, call {nth}, lasting {lasting}");
                // Opening fails if the fault strikes the index itself.
                let opened = ArtifactStore::open_on(fault.storage(), dir.path(), with(common::quiet()));
                if let Ok(mut store) = opened {
                    is_sound(&mut store, false, &what);
                    assert!(has(&mut store, "l", 1, 2), "{what}: {:?}", store.recovered());
                    fault.left.store(OFF, Ordering::SeqCst);
                    store.flush().unwrap();
                }
                let struck = fault.left.load(Ordering::SeqCst) < 0;
                let mut store = self::store(dir.path());
                assert!(has(&mut store, "l", 1, 2), "{what}");
                assert_eq!(store.get("k").unwrap().is_some(), damage != "k_1", "{what}");
                drop(store);
                assert_eq!(*self::store(dir.path()).recovered(), Recovered::default(), "{what}");
                if !struck {
                    break;
                }
            }
        }
    }
}

#[test]
fn one_file_that_cannot_be_unlinked_does_not_keep_the_rest_from_being_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let stuck = Arc::new(AtomicUsize::new(1));
    let refuses = Arc::clone(&stuck);
    let storage = Faulty::with_removals(Disk::default(), move |what, path| {
        if what == "unlink" && path.ends_with("stuck_0") && refuses.load(Ordering::SeqCst) > 0 {
            return Err(Error::io(what, path, std::io::ErrorKind::PermissionDenied.into()));
        }
        Ok(())
    });
    let mut store = store_on(storage, dir.path());
    add(&mut store, "stuck", 1, 1, false);
    add(&mut store, "goes", 1, 1, false);
    store.flush().unwrap();
    store.remove("stuck").unwrap();
    store.remove("goes").unwrap();
    add(&mut store, "comes", 1, 1, false);
    assert_eq!(store.flush().unwrap_err().code(), Code::Io);
    assert_eq!(all(&mut store).into_keys().collect::<Vec<_>>(), ["comes"]);
    assert_eq!(all(&mut self::store(dir.path())).into_keys().collect::<Vec<_>>(), ["comes", "stuck"]);
    stuck.store(0, Ordering::SeqCst);
    store.flush().unwrap();
    assert_eq!(all(&mut self::store(dir.path())).into_keys().collect::<Vec<_>>(), ["comes"]);
    assert_eq!(payloads(dir.path()), ["comes_0"]);
}

#[test]
fn a_flush_with_nothing_to_do_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let fault = Fault::new(false);
    let mut store = store_on(fault.storage(), dir.path());
    add(&mut store, "k", 1, 2, false);
    store.flush().unwrap();
    fault.calls.lock().unwrap().clear();
    store.flush().unwrap();
    store.get("k").unwrap();
    store.output("k", 1).unwrap();
    store.load_all().unwrap();
    assert!(!store.remove("none").unwrap());
    store.flush().unwrap();
    assert_eq!(store.evict_to(u64::MAX).unwrap(), 0);
    store.close();
    let mut store = store_on(fault.storage(), dir.path());
    store.get("k").unwrap();
    store.flush().unwrap();
    store.close();
    assert_eq!(*fault.calls.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn changes_in_memory_touch_no_disk() {
    let dir = tempfile::tempdir().unwrap();
    let fault = Fault::new(false);
    let mut store = store_on(fault.storage(), dir.path());
    add(&mut store, "k", 1, 2, false);
    store.flush().unwrap();
    fault.calls.lock().unwrap().clear();
    store.insert("l", meta("l", 1, 2)).unwrap();
    store.remove("k").unwrap();
    store.clear().unwrap();
    store.insert("m", meta("m", 1, 2)).unwrap();
    assert_eq!(*fault.calls.lock().unwrap(), Vec::<String>::new());
}

/// Otherwise the files of a replaced put, if they could not be unlinked, come back when the newer put's files
/// are gone, too.
#[test]
fn what_was_replaced_and_could_not_be_unlinked_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    flushed(dir.path(), "key", 1, 2, false);
    let storage = Faulty::with_removals(Disk::default(), |call, path| {
        if call == "unlink" {
            return Err(Error::io(call, path, std::io::ErrorKind::PermissionDenied.into()));
        }
        Ok(())
    });
    let mut store = store_on(Arc::<Faulty>::clone(&storage), dir.path());
    add(&mut store, "key", 2, 2, true);
    store.flush().unwrap();
    // The newer put's pack is replaced by a third one, which gets no metadata.
    store.clear().unwrap();
    let given = outputs("key", 3, 2);
    let given: Vec<&[u8]> = given.iter().map(Vec::as_slice).collect();
    assert_eq!(store.put_outputs("key", &given, true).unwrap_err().code(), Code::Io);
    // Flushes the removal, so that no row of the key is left.
    store.flush().unwrap();
    drop(store);
    for _ in 0..2 {
        let mut store = store_on(Arc::<Faulty>::clone(&storage), dir.path());
        assert_eq!(store.get("key").unwrap().map(|found| round_of("key", &found)), None);
        let _ = store.flush();
    }
}
