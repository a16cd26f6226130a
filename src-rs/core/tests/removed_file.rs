//! A user cleared the cache and looked for its file: it was still there, or came back with old entries.

mod common;
use common::*;
use warmshard_core::{Code, Shard};

#[test]
fn the_file_is_gone_and_every_handle_sees_an_empty_shard_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut a, mut b) = (open(&path), open(&path));
    let mut reader = Shard::open(&path, read_only()).unwrap();
    for i in 0..600 {
        put(&mut a, &format!("k{i}"), b"old");
    }
    assert!(get(&mut b, "k7").is_some() && get(&mut reader, "k7").is_some());
    let before = a.generation();
    a.remove_file().unwrap();
    assert!(!path.exists());
    for shard in [&mut a, &mut b, &mut reader, &mut open(&path)] {
        assert_eq!((get(shard, "k7"), shard.len()), (None, 0));
        assert!(shard.generation() > before);
    }
    // Removing it again, by any handle, does nothing.
    let generation = a.generation();
    b.remove_file().unwrap();
    a.remove_file().unwrap();
    assert!(!path.exists());
    assert_eq!(a.generation(), generation);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the sidecar is left");
    put(&mut b, "k7", b"new");
    assert!(path.exists());
    for shard in [&mut a, &mut b, &mut reader, &mut open(&path)] {
        assert_eq!((get(shard, "k7").unwrap(), shard.len()), (b"new".to_vec(), 1));
        assert!(shard.generation() > generation);
    }
}

#[test]
fn another_handle_can_be_the_first_to_write_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut a, mut b) = (open(&path), open(&path));
    for round in 0..20 {
        put(&mut a, "k", b"1");
        assert!(get(&mut b, "k").is_some());
        if round % 2 == 0 {
            a.remove_file().unwrap()
        } else {
            b.remove_file().unwrap()
        }
        merge(&mut b, &[("x", b"2"), ("y", b"3")]);
        assert_eq!((get(&mut a, "k"), get(&mut a, "x").unwrap(), a.len()), (None, b"2".to_vec(), 2));
        assert!(a.verify(&warmshard_core::Job::default()).unwrap().is_sound());
    }
}

#[test]
fn a_foreign_file_is_removed_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    std::fs::write(&path, b"not a shard").unwrap();
    let mut shard = open(&path);
    shard.remove_file().unwrap();
    assert!(!path.exists());
    assert_eq!(shard.stats().rejected, None);
}

#[test]
fn a_read_only_handle_removes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "k", b"1");
    let mut reader = Shard::open(&path, read_only()).unwrap();
    assert_eq!(reader.remove_file().unwrap_err().code(), Code::ReadOnly);
    assert!(path.exists());
}

#[test]
fn a_flush_after_it_makes_everything_durable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"1");
    shard.remove_file().unwrap();
    shard.flush().unwrap();
    assert!(shard.durability().durable);
    put(&mut shard, "k", b"2");
    shard.flush().unwrap();
    assert!(shard.durability().durable);
    assert_eq!(get(&mut open(&path), "k").unwrap(), b"2");
}

/// The child has the old file open until the parent has removed it.
#[test]
fn another_process_holds_the_old_file() {
    if let Some((path, _)) = role() {
        let mut shard = open(&path);
        assert_eq!(get(&mut shard, "k").unwrap(), b"old");
        std::fs::write(path.with_extension("ready"), b"").unwrap();
        let done = path.with_extension("removed");
        while !done.exists() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert_eq!((get(&mut shard, "k"), shard.len()), (None, 0));
        put(&mut shard, "k", b"by the child");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"old");
    let mut child = child("another_process_holds_the_old_file", &path, "");
    while !path.with_extension("ready").exists() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let before = shard.generation();
    shard.remove_file().unwrap();
    assert!(!path.exists());
    std::fs::write(path.with_extension("removed"), b"").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!((get(&mut shard, "k").unwrap(), shard.len()), (b"by the child".to_vec(), 1));
    assert!(shard.generation() > before);
}
