//! A request took five seconds: its look-up had noticed that the file was replaced, and waited for a lock
//! that a busy writer held.

mod common;
use common::*;
use std::time::{Duration, Instant};
use warmshard_core::Shard;
use warmshard_core::limits::IDENTITY_CHECK_MS;
use warmshard_core::storage::disk::Disk;
use warmshard_core::storage::{Open, Storage};

#[test]
fn a_look_up_and_an_open_do_not_wait_for_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let other = dir.path().join("b.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"old");
    put(&mut open(&other), "k", b"new");
    let lock = Disk::default().open(&lock_path(&path), Open::Write).unwrap().unwrap();
    assert!(lock.try_lock().unwrap());
    // Page and path disagree, as between the rename of a new file and its publication.
    std::fs::rename(&other, &path).unwrap();
    std::thread::sleep(Duration::from_millis(IDENTITY_CHECK_MS + 50));
    let start = Instant::now();
    assert_eq!(get(&mut shard, "nothing"), None);
    assert_eq!(get(&mut shard, "k").unwrap(), b"new");
    let mut fresh = Shard::open(&path, quiet()).unwrap();
    assert_eq!(get(&mut fresh, "k").unwrap(), b"new");
    // A call that waits for the lock would wait for the whole `lock_timeout_ms`.
    assert!(start.elapsed() < FOR_EVER / 2, "{:?}", start.elapsed());
    lock.unlock();
    put(&mut shard, "k", b"newest");
    assert_eq!(get(&mut fresh, "k").unwrap(), b"newest");
}
