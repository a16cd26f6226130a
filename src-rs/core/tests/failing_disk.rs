//! The disk was full for a minute, and the cache was lost for good.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Error, Job, Options, PutMeta, Result, Shard};

/// Fails the call number `left`, counting calls that change something; with `lasting`, all later ones, too.
#[derive(Debug, Default)]
struct Fault {
    left: AtomicI64,
    lasting: bool,
}

impl Fault {
    fn strike(&self, what: &'static str, path: &Path) -> Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left == 0 || (self.lasting && left < 0 && left > -1_000_000) {
            return Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }
}

fn failing(fault: &Arc<Fault>) -> Arc<Faulty> {
    let fault = Arc::clone(fault);
    Faulty::new(Disk::default(), move |what, path| fault.strike(what, path))
}

type Map = BTreeMap<String, Vec<u8>>;
type Change = fn(&mut Shard, &mut Map, u64) -> Result<()>;

fn fill(shard: &mut Shard, map: &mut Map, round: u64, count: u64, replace: bool) -> Result<()> {
    let entries: Map = (0..count).map(|i| (format!("b{i}"), telling(&format!("b{i}"), round, 3))).collect();
    let job = Job::default();
    if replace {
        shard.replace_all(&job, |batch| {
            entries.iter().try_for_each(|(k, v)| batch.put(k.as_bytes(), &[v], PutMeta::default()))
        })?;
        map.clear();
    } else {
        shard.merge_in(&job, |batch| {
            entries.iter().try_for_each(|(k, v)| batch.put(k.as_bytes(), &[v], PutMeta::default()))
        })?;
    }
    map.extend(entries);
    Ok(())
}

const CHANGES: [(&str, Change); 9] = [
    ("put", |s, m, r| {
        let value = telling("k", r, 300);
        s.put(b"k", &[&value], PutMeta::default())?;
        m.insert("k".into(), value);
        Ok(())
    }),
    ("delete", |s, m, _| {
        s.delete(b"a")?;
        m.remove("a");
        Ok(())
    }),
    ("merge", |s, m, r| fill(s, m, r, 5, false)),
    ("merge with snapshot", |s, m, r| fill(s, m, r, 700, false)),
    ("replace", |s, m, r| fill(s, m, r, 80, true)),
    ("clear", |s, m, _| {
        s.clear()?;
        m.clear();
        Ok(())
    }),
    ("remove the file", |s, m, _| {
        s.remove_file()?;
        m.clear();
        Ok(())
    }),
    ("compact", |s, _, _| s.compact(&Job::default()).map(drop)),
    ("flush", |s, _, _| s.flush()),
];

fn matches(shard: &mut Shard, map: &Map) -> bool {
    shard.len() == map.len() as u64 && map.iter().all(|(k, v)| get(shard, k).as_ref() == Some(v))
}

#[test]
fn a_failed_call_leaves_the_shard_as_it_was_and_the_next_one_works() {
    let mut struck = 0;
    for sync_each in [false, true] {
        for lasting in [false, true] {
            for (name, change) in CHANGES {
                for nth in 0..40 {
                    if try_one(name, change, nth, lasting, sync_each) {
                        struck += 1;
                    } else {
                        break;
                    }
                }
            }
        }
    }
    assert!(struck > 50, "only {struck} faults struck");
}

/// Makes one change with one fault. Returns whether the fault struck.
fn try_one(name: &str, change: Change, nth: i64, lasting: bool, sync_each: bool) -> bool {
    let what = format!("{name}, call {nth}, lasting {lasting}, sync {sync_each}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let fault = Arc::new(Fault { left: AtomicI64::new(i64::MIN / 2), lasting });
    let storage = failing(&fault);
    let options = Options { sync_each, ..quiet() };
    let mut shard = Shard::open_on(storage, &path, options).unwrap();
    let mut idle = open(&path);
    let mut map = Map::new();
    for key in ["a", "b", "c"] {
        put(&mut shard, key, &telling(key, 1, 20));
        map.insert(key.into(), telling(key, 1, 20));
    }
    let before = map.clone();
    assert!(matches(&mut idle, &before));
    fault.left.store(nth, Ordering::SeqCst);
    let outcome = change(&mut shard, &mut map, 2);
    let struck = fault.left.load(Ordering::SeqCst) < 0;
    // Another handle, on the real disk, is not affected even by a lasting fault.
    let mut fresh = open(&path);
    let as_before = matches(&mut fresh, &before);
    match &outcome {
        Ok(()) => assert!(matches(&mut fresh, &map), "{what}: done, but not there"),
        Err(_) => {
            let mut after = before.clone();
            fault.left.store(i64::MIN / 2, Ordering::SeqCst);
            // If the sync of the folder failed, the new file is already in place.
            let replaced = matches!(&outcome, Err(Error::NoSpace { syscall: "fsync", .. }));
            let _ = change(&mut open(&path), &mut after, 2);
            assert!(as_before || replaced, "{what}: failed, but not as before: {outcome:?}");
            map = if as_before || !replaced { after.clone() } else { after };
        }
    }
    fault.left.store(i64::MIN / 2, Ordering::SeqCst);
    for (n, handle) in [&mut shard, &mut idle, &mut fresh].into_iter().enumerate() {
        let key = format!("next {n}");
        put(handle, &key, b"works");
        map.insert(key, b"works".to_vec());
    }
    for handle in [&mut shard, &mut idle, &mut fresh, &mut open(&path)] {
        assert!(matches(handle, &map), "{what}: {outcome:?}");
        let report = handle.verify(&Job::default()).unwrap();
        assert!(report.is_sound(), "{what}: {report:?}");
    }
    shard.flush().unwrap();
    assert!(shard.durability().durable, "{what}");
    drop((shard, idle, fresh));
    let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.shard", "a.shard.lock"], "{what}");
    struck
}

#[test]
fn after_a_failed_sync_the_whole_file_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let fault = Arc::new(Fault { left: AtomicI64::new(i64::MIN / 2), lasting: false });
    let storage = failing(&fault);
    let mut shard = Shard::open_on(storage, &path, quiet()).unwrap();
    put(&mut shard, "k", b"1");
    fault.left.store(0, Ordering::SeqCst);
    shard.flush().unwrap_err();
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
    let before = inode(&path);
    assert!(!shard.durability().durable);
    shard.flush().unwrap();
    assert!(shard.durability().durable && inode(&path) != before);
    assert_eq!(get(&mut shard, "k").unwrap(), b"1");
}
