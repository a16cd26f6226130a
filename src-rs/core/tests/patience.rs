//! The lock timeout was five seconds, and a put took eighteen, because it waited that long for each of several locks.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use rustix::fs::FlockOperation;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Code, Job, Options, Result, Shard};

const LIMIT: Duration = Duration::from_millis(1000);

fn impatient() -> Options {
    Options { lock_timeout_ms: LIMIT.as_millis() as u64, ..quiet() }
}

fn hold(path: &Path) -> File {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
    rustix::fs::flock(&file, FlockOperation::LockExclusive).unwrap();
    file
}

type Call = fn(&mut Shard) -> Result<()>;

#[test]
fn a_call_that_needs_several_locks_waits_once() {
    let calls: [(&str, Call); 4] = [
        ("put", |s| s.put(b"k", &[b"2"], Default::default())),
        ("clear", Shard::clear),
        ("compact", |s| s.compact(&Job::default()).map(drop)),
        ("flush", Shard::flush),
    ];
    let wait = |(name, call): (&str, Call)| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let mut shard = Shard::open(&path, impatient()).unwrap();
        put(&mut shard, "k", b"1");
        // The locks of the sidecar, of another sidecar that replaces it, and of the shard file.
        let first = hold(&lock_path(&path));
        std::fs::remove_file(lock_path(&path)).unwrap();
        let second = hold(&lock_path(&path));
        let file = hold(&path);
        let start = Instant::now();
        let (error, waited) = std::thread::scope(|scope| {
            scope.spawn(|| {
                [first, second].into_iter().for_each(|held| {
                    std::thread::sleep(LIMIT * 8 / 10);
                    drop(held);
                });
            });
            let error = call(&mut shard).unwrap_err();
            (error, start.elapsed())
        });
        assert_eq!(error.code(), Code::LockTimeout, "{name}: {error}");
        assert!(waited >= LIMIT, "{name}: {waited:?}");
        drop(file);
        put(&mut shard, "k", b"3");
        assert_eq!(get(&mut open(&path), "k").unwrap(), b"3", "{name}");
        Some(waited)
    };
    let one = |of: (&str, Call)| at_best(LIMIT * 2, || wait(of));
    std::thread::scope(|scope| calls.map(|call| scope.spawn(move || one(call))).map(|t| t.join().unwrap()));
}

#[test]
fn a_put_that_waits_for_a_compaction_does_not_start_a_new_timeout() {
    at_best(LIMIT * 13 / 10, || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let held = Arc::new(Mutex::new(None));
        let holder = Arc::clone(&held);
        // Takes the lock as soon as the compaction has begun, and keeps it.
        let storage = Faulty::new(Disk::default(), move |call, at| {
            if call == "open" && at.to_string_lossy().contains(".tmp.") {
                let lock = at.with_file_name("a.shard.lock");
                holder.lock().unwrap().get_or_insert_with(|| hold(&lock));
            }
            Ok(())
        });
        put(&mut open(&path), "k", b"1");
        let options = Options { auto_compact: true, max_bytes: 64 << 10, ..impatient() };
        let mut shard = Shard::open_on(storage, &path, options).unwrap();
        let locks = [lock_path(&path), path.clone()].map(|path| hold(&path));
        let start = Instant::now();
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(LIMIT * 6 / 10);
                drop(locks);
            });
            shard.put(b"large", &[&[1; 200_000]], Default::default())
        });
        let waited = start.elapsed();
        // The locks were released too late, because the machine was busy.
        if outcome.is_err_and(|error| error.code() == Code::LockTimeout && waited >= LIMIT) {
            return None;
        }
        assert!(held.lock().unwrap().is_some(), "no compaction");
        assert!(waited >= LIMIT * 6 / 10, "{waited:?}");
        Some(waited)
    });
}

#[test]
fn opening_for_a_change_and_the_change_share_one_timeout() {
    at_best(LIMIT * 13 / 10, || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let mut shard = Shard::open(&path, impatient()).unwrap();
        put(&mut shard, "k", b"1");
        // The locks of a new sidecar, which is locked before it is laid out, and of the shard file.
        std::fs::remove_file(lock_path(&path)).unwrap();
        let (first, _file) = (hold(&lock_path(&path)), hold(&path));
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(LIMIT * 6 / 10);
                drop(first);
            });
            let job = Arc::new(Job::default());
            let mut other = match shard.opener().open(&job) {
                // Released too late.
                Err(error) if error.code() == Code::LockTimeout && start.elapsed() >= LIMIT => return None,
                other => other.unwrap(),
            };
            assert!(start.elapsed() >= LIMIT * 6 / 10, "opening did not wait");
            let error =
                other.merge_in(&job, |batch| batch.put(b"k", &[b"2"], Default::default())).unwrap_err();
            assert_eq!(error.code(), Code::LockTimeout, "{error}");
            Some(start.elapsed())
        })
    });
}
