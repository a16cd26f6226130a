//! The cache was moved to another folder while a build was writing. The build flushed and reported no error,
//! and the next build found nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use warmshard_core::limits::IDENTITY_CHECK_MS;
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Job, Shard};

/// A shard that has just checked its paths.
fn setup() -> (tempfile::TempDir, PathBuf, PathBuf, Shard) {
    let dir = tempfile::tempdir().unwrap();
    let (path, away) = (dir.path().join("a.shard"), dir.path().join("away"));
    let mut shard = open(&path);
    put(&mut shard, "old", b"1");
    wait_for_look();
    put(&mut shard, "old", b"2");
    (dir, path, away, shard)
}

/// A shard whose file was moved with `away`, and which has not noticed it after `then`. If the machine is too
/// slow for that, tries again.
fn unseen(
    away: impl Fn(&std::path::Path, &std::path::Path),
    then: impl Fn(&mut Shard),
) -> (tempfile::TempDir, PathBuf, PathBuf, Shard) {
    for _ in 0..100 {
        let (dir, path, to, mut shard) = setup();
        away(&path, &to);
        then(&mut shard);
        if !path.exists() {
            return (dir, path, to, shard);
        }
    }
    panic!("each put looked at the path: there is nothing to test");
}

fn moved(then: impl Fn(&mut Shard)) -> (tempfile::TempDir, PathBuf, PathBuf, Shard) {
    unseen(|path, to| std::fs::rename(path, to).unwrap(), then)
}

fn wait_for_look() {
    std::thread::sleep(Duration::from_millis(IDENTITY_CHECK_MS + 30));
}

#[test]
fn a_flush_repeats_the_puts_that_went_to_the_moved_file() {
    let (_dir, path, _away, mut shard) = moved(|shard| put(shard, "new", b"3"));
    assert_eq!(get(&mut shard, "new").unwrap(), b"3");
    shard.flush().unwrap();
    assert!(shard.durability().durable);
    for shard in [&mut shard, &mut open(&path)] {
        assert_eq!(get(shard, "new").unwrap(), b"3");
        assert!(shard.verify(&Job::default()).unwrap().is_sound());
    }
}

#[test]
fn a_flush_repeats_them_also_if_there_is_another_file_at_the_path() {
    for noticed in [false, true] {
        let (_dir, path, _away, mut shard) = moved(|shard| {
            put(shard, "new", b"3");
            shard.delete(b"old").unwrap();
        });
        put(&mut open(&path), "theirs", b"4");
        if noticed {
            assert_eq!(get(&mut shard, "theirs").unwrap(), b"4");
            assert_eq!(get(&mut shard, "new"), None);
        }
        shard.flush().unwrap();
        for shard in [&mut shard, &mut open(&path)] {
            assert_eq!(
                (get(shard, "new").unwrap(), get(shard, "theirs").unwrap()),
                (b"3".to_vec(), b"4".to_vec())
            );
            assert_eq!((get(shard, "old"), shard.len()), (None, 2));
        }
    }
}

#[test]
fn a_flush_after_clear_repeats_nothing() {
    let (_dir, path, _away, mut shard) = moved(|shard| put(shard, "new", b"3"));
    shard.clear().unwrap();
    shard.flush().unwrap();
    assert_eq!((shard.len(), open(&path).len()), (0, 0));
}

#[test]
fn puts_notice_a_moved_file_in_time() {
    let (_dir, path, away, mut shard) = setup();
    std::fs::rename(&path, &away).unwrap();
    wait_for_look();
    put(&mut shard, "new", b"3");
    assert_eq!(get(&mut open(&path), "new").unwrap(), b"3");
    assert_eq!((get(&mut shard, "old"), shard.len()), (None, 1));
}

#[test]
fn puts_notice_a_deleted_or_replaced_file_at_once() {
    let (_dir, path, away, mut shard) = setup();
    std::fs::remove_file(&path).unwrap();
    put(&mut shard, "new", b"3");
    assert_eq!(get(&mut open(&path), "new").unwrap(), b"3");
    put(&mut open(&away), "theirs", b"4");
    std::fs::rename(&away, &path).unwrap();
    put(&mut shard, "newer", b"5");
    let mut other = open(&path);
    assert_eq!(
        (get(&mut other, "newer").unwrap(), get(&mut other, "theirs").unwrap()),
        (b"5".to_vec(), b"4".to_vec())
    );
}

#[test]
fn a_file_that_replaces_the_shard_during_a_put_keeps_its_entries() {
    let dir = tempfile::tempdir().unwrap();
    let (path, away) = (dir.path().join("a.shard"), dir.path().join("away"));
    let armed = Arc::new(AtomicBool::new(false));
    let storage = {
        let (armed, path) = (Arc::clone(&armed), path.clone());
        Faulty::new(Disk::default(), move |what, _| {
            if what == "pwrite" && armed.swap(false, Ordering::SeqCst) {
                std::fs::rename(&path, &away).unwrap();
                let mut other = open(&path);
                (0..50).for_each(|i| put(&mut other, &format!("theirs {i}"), b"4"));
            }
            Ok(())
        })
    };
    let mut shard = Shard::open_on(storage, &path, quiet()).unwrap();
    put(&mut shard, "old", b"1");
    armed.store(true, Ordering::SeqCst);
    put(&mut shard, "new", b"3");
    assert!(!armed.load(Ordering::SeqCst));
    for shard in [&mut open(&path), &mut shard] {
        assert_eq!(shard.len(), 50);
        (0..50).for_each(|i| assert_eq!(get(shard, &format!("theirs {i}")).unwrap(), b"4"));
    }
    shard.flush().unwrap();
    assert_eq!(get(&mut open(&path), "new").unwrap(), b"3");
    assert_eq!(shard.len(), 51);
}
