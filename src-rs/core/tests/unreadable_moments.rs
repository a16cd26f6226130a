//! A network disk did not answer for a moment. A compaction treated what it could not read as damaged, a
//! recovery cut it off, and a page that could not be read was laid out again: flushed entries were gone when
//! the disk was back.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Code, Error, Job, Lookup, PutMeta, Result, Shard, Validator};

type Map = BTreeMap<String, Vec<u8>>;
type Change = fn(&mut Shard, &Map) -> Result<()>;
type Effect = fn(&mut Map);

const NEVER: i64 = i64::MIN / 2;

const CHANGES: [(&str, Change, Effect); 12] = [
    ("look up", look_up, |_| {}),
    (
        "list",
        |s, map| {
            assert_eq!(s.list()?.len(), map.len(), "the list lacks entries");
            Ok(())
        },
        |_| {},
    ),
    (
        "keys",
        |s, map| {
            let mut cursor = s.cursor()?;
            let mut keys = Vec::new();
            while let more = cursor.next_keys(7)?
                && !more.is_empty()
            {
                keys.extend(more);
            }
            assert_eq!(keys.len(), map.len(), "keys are missing");
            Ok(())
        },
        |_| {},
    ),
    (
        "totals",
        |s, map| {
            assert_eq!(s.totals()?.own, map.len() as u64, "not all entries were counted");
            Ok(())
        },
        |_| {},
    ),
    (
        "put",
        |s, _| s.put(b"k1", &[b"new"], PutMeta::default()),
        |m| drop(m.insert("k1".into(), b"new".to_vec())),
    ),
    (
        "delete",
        |s, _| {
            assert!(s.delete(b"k2")?, "the entry exists");
            Ok(())
        },
        |m| drop(m.remove("k2")),
    ),
    ("merge", merge_many, |m| m.extend(many().map(|k| (k, b"merged".to_vec())))),
    ("clear", |s, _| s.clear(), Map::clear),
    ("compact", |s, _| s.compact(&Job::default()).map(drop), |_| {}),
    ("evict", |s, _| s.evict_stale(&Job::default()).map(drop), |_| {}),
    ("flush", |s, _| s.flush(), |_| {}),
    (
        "verify",
        |s, _| {
            let report = s.verify(&Job::default())?;
            assert!(report.is_sound(), "what could not be read was reported as damaged: {report:?}");
            Ok(())
        },
        |_| {},
    ),
];

fn look_up(shard: &mut Shard, map: &Map) -> Result<()> {
    for (key, value) in map {
        if let Lookup::Hit(hit) = shard.get(key.as_bytes(), &Validator::None)?
            && let Some(found) = shard.read_part(&hit, 0)
        {
            assert_eq!(found, *value, "an older value of {key}");
        }
    }
    Ok(())
}

fn many() -> impl Iterator<Item = String> {
    (0..600).map(|i| format!("k{i}"))
}

fn merge_many(shard: &mut Shard, _: &Map) -> Result<()> {
    let job = Job::default();
    shard
        .merge_in(&job, |batch| {
            many().try_for_each(|k| batch.put(k.as_bytes(), &[b"merged"], PutMeta::default()))
        })
        .map(drop)
}

fn fill(path: &Path) -> Map {
    let mut shard = Shard::open(path, unmapped()).unwrap();
    let mut map = Map::new();
    for round in 0..2 {
        for i in 0..20 {
            let key = format!("k{i}");
            let value = telling(&key, round, 30);
            put(&mut shard, &key, &value);
            map.insert(key, value);
        }
        if round == 0 {
            shard.flush().unwrap();
        }
    }
    map
}

fn same(shard: &mut Shard, map: &Map) -> bool {
    shard.len() == map.len() as u64 && map.iter().all(|(k, v)| get(shard, k).as_ref() == Some(v))
}

/// Makes one change with one fault. Returns whether the fault struck.
fn try_one(
    (name, change, effect): (&str, Change, Effect),
    nth: i64,
    lasting: bool,
    cold: bool,
    call: &'static str,
) -> bool {
    let what = format!("{name}, {call} {nth}, lasting {lasting}, cold {cold}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let before = fill(&path);
    let left = Arc::new(AtomicI64::new(NEVER));
    let counter = Arc::clone(&left);
    let storage = Faulty::with_reads(Disk::default(), move |what, path| {
        if what != call {
            return Ok(());
        }
        let left = counter.fetch_sub(1, Ordering::SeqCst);
        if left == 0 || (lasting && left < 0 && left > -1_000_000) {
            return Err(Error::io(what, path, std::io::ErrorKind::TimedOut.into()));
        }
        Ok(())
    });
    let open = || Shard::open_on(Arc::<Faulty>::clone(&storage), &path, unmapped());
    let warm = if cold { None } else { Some(open().unwrap()) };
    // A change that the handle does not know yet.
    let mut other = Shard::open(&path, unmapped()).unwrap();
    let mut map = before.clone();
    put(&mut other, "k3", b"by another");
    map.insert("k3".into(), b"by another".to_vec());
    let before = map.clone();
    effect(&mut map);
    left.store(nth, Ordering::SeqCst);
    let mut shard = None;
    let outcome = warm.map_or_else(open, Ok).and_then(|mut handle| {
        let done = change(&mut handle, &before);
        shard = Some(handle);
        done
    });
    if outcome.is_ok() {
        assert!(same(&mut other, &map), "{what}: done, but others do not see it");
    }
    let struck = left.swap(NEVER, Ordering::SeqCst) < 0;
    if let Err(error) = &outcome {
        assert_eq!(error.code(), Code::Io, "{what}: {error}");
        let as_before = same(&mut Shard::open(&path, unmapped()).unwrap(), &before);
        map = before;
        if !as_before {
            effect(&mut map);
        }
    }
    for mut handle in shard.into_iter().chain([other, Shard::open(&path, unmapped()).unwrap()]) {
        assert!(same(&mut handle, &map), "{what}: {outcome:?}");
        put(&mut handle, "next", b"works");
        map.insert("next".into(), b"works".to_vec());
        assert!(handle.get(b"next", &Validator::None).is_ok() && same(&mut handle, &map), "{what}");
        assert!(handle.verify(&Job::default()).unwrap().is_sound(), "{what}");
        handle.flush().unwrap();
    }
    struck
}

fn every_time(call: &'static str, least: u32) {
    let mut struck = 0;
    for change in CHANGES {
        for lasting in [false, true] {
            for cold in [false, true] {
                for nth in 0.. {
                    // Long work repeats the same reads, so only some of its later calls are tried.
                    let nth = if nth < 16 { nth } else { 16 + (nth - 16) * 37 };
                    if !try_one(change, nth, lasting, cold, call) {
                        break;
                    }
                    struck += 1;
                }
            }
        }
    }
    assert!(struck > least, "only {struck} faults struck");
}

#[test]
fn what_cannot_be_read_for_a_moment_is_not_lost() {
    every_time("pread", 200);
}

#[test]
fn a_page_that_cannot_be_written_publishes_nothing() {
    every_time("pwrite", 100);
}

/// A sync fails while the page cannot be written either. If others do not learn of it, their next flush, which
/// the system lets succeed, reports as durable what is lost.
#[test]
fn a_failed_sync_is_noted_as_soon_as_the_page_can_be_written() {
    for closes in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        fill(&path);
        let mut other = Shard::open(&path, unmapped()).unwrap();
        let failing = Arc::new(AtomicI64::new(0));
        let fails = Arc::clone(&failing);
        let storage = Faulty::new(Disk::default(), move |call, at| {
            let page = call == "pwrite" && at.to_string_lossy().ends_with(".lock");
            if fails.load(Ordering::SeqCst) == 1 && (call == "fdatasync" || page) {
                return Err(Error::io(call, at, std::io::ErrorKind::TimedOut.into()));
            }
            Ok(())
        });
        let mut shard = Shard::open_on(storage, &path, unmapped()).unwrap();
        put(&mut shard, "k1", b"unflushed");
        failing.store(1, Ordering::SeqCst);
        assert_eq!(shard.flush().unwrap_err().code(), Code::Io);
        failing.store(0, Ordering::SeqCst);
        if closes {
            shard.close()
        } else {
            put(&mut shard, "k2", b"later")
        }
        let before = other.file_state().unwrap().0;
        other.flush().unwrap();
        assert_ne!(
            other.file_state().unwrap().0,
            before,
            "closes {closes}: flushed without writing the file again"
        );
        assert_eq!(get(&mut other, "k1").unwrap(), b"unflushed");
    }
}
