//! Eighty processes wrote at once, and one of them waited for seconds, because others kept getting the lock by
//! chance.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::*;
use rustix::fs::FlockOperation;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use warmshard_core::clock::ticks_ms;
use warmshard_core::limits::{MAX_GIVE_WAY_MS, TURN_MS};
use warmshard_core::{Options, Shard};

/// Offset of the word `turn` in the sidecar: docs/format.md.
const TURN: u64 = 5 * 8;

fn turn(path: &Path) -> u64 {
    let mut bytes = [0; 8];
    File::open(lock_path(path)).unwrap().read_exact_at(&mut bytes, TURN).unwrap();
    u64::from_le_bytes(bytes)
}

fn set_turn(path: &Path, until: u64) {
    let file = File::options().write(true).open(lock_path(path)).unwrap();
    file.write_all_at(&until.to_le_bytes(), TURN).unwrap();
}

fn patient(path: &Path) -> Shard {
    Shard::open(path, Options { lock_timeout_ms: 60_000, ..quiet() }).unwrap()
}

#[test]
fn a_call_that_waits_for_long_asks_for_a_turn_and_gives_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = patient(&path);
    put(&mut shard, "k", b"1");
    for held in [path.clone(), lock_path(&path)] {
        let mut other = patient(&path);
        let file = File::options().write(true).open(held).unwrap();
        rustix::fs::flock(&file, FlockOperation::LockExclusive).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| put(&mut other, "k", b"2"));
            while turn(&path) == 0 {
                assert!(!waiting.is_finished());
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(turn(&path) <= ticks_ms() + TURN_MS);
            rustix::fs::flock(&file, FlockOperation::Unlock).unwrap();
        });
        assert_eq!(turn(&path), 0);
    }
}

#[test]
fn other_calls_do_not_take_the_lock_until_a_turn_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = patient(&path);
    put(&mut shard, "k", b"1");
    let until = ticks_ms() + TURN_MS;
    set_turn(&path, until);
    put(&mut shard, "k", b"2");
    assert!(ticks_ms() >= until);
    assert_eq!(get(&mut shard, "k").unwrap(), b"2");
}

#[test]
fn a_call_does_not_give_way_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = patient(&path);
    put(&mut shard, "k", b"1");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Bounded by a number, not by time: on a slow machine, too, the put then has enough occasions.
            for _ in 0..MAX_GIVE_WAY_MS * 200 {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                set_turn(&path, ticks_ms() + TURN_MS);
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(done.load(Ordering::Relaxed));
        });
        put(&mut shard, "k", b"2");
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn an_impossible_turn_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = patient(&path);
    put(&mut shard, "k", b"1");
    let file: std::sync::Arc<dyn warmshard_core::storage::File> = warmshard_core::storage::Storage::open(
        &warmshard_core::storage::disk::Disk::default(),
        &lock_path(&path),
        warmshard_core::storage::Open::Write,
    )
    .unwrap()
    .unwrap();
    let sidecar = warmshard_core::sidecar::Sidecar::open(&lock_path(&path), file, true, true, 1).unwrap();
    for until in [1, ticks_ms().saturating_sub(1), ticks_ms() + TURN_MS * 1000, u64::MAX] {
        set_turn(&path, until);
        assert!(!sidecar.is_turn_taken(), "{until}");
    }
    let asked = ticks_ms();
    sidecar.ask_for_turn();
    assert!(sidecar.is_turn_taken() || ticks_ms() >= asked + TURN_MS);
    sidecar.take_turn();
    assert!(!sidecar.is_turn_taken());
}
