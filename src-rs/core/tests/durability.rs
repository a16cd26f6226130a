//! The power went, and an entry that had been flushed was gone.

mod common;
use common::*;
use std::path::Path;
use std::sync::Arc;
use warmshard_core::limits::HEADER_LEN;
use warmshard_core::storage::memory::Memory;
use warmshard_core::{Job, Options, Shard};

#[test]
fn a_flush_says_what_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut shard, mut other) = (open(&path), open(&path));
    assert!(shard.durability().durable);
    put(&mut shard, "a", b"1");
    merge(&mut other, &[("b", b"1"), ("c", b"1")]);
    for shard in [&mut shard, &mut other] {
        let d = shard.durability();
        assert_eq!((d.pending_entries, d.durable), (3, false));
        assert!(d.pending_bytes > 0);
    }
    shard.flush().unwrap();
    for shard in [&mut shard, &mut other] {
        let d = shard.durability();
        assert_eq!((d.pending_entries, d.pending_bytes, d.durable), (0, 0, true));
    }
    put(&mut other, "d", b"1");
    assert_eq!(shard.durability().pending_entries, 1);
    shard.compact(&Job::default()).unwrap();
    assert!(other.durability().durable);
    put(&mut shard, "e", b"1");
    other.replace_all(&Job::default(), |b| b.put(b"f", &[b"1"], Default::default())).unwrap();
    assert!(shard.durability().durable);
}

#[test]
fn with_sync_each_nothing_is_ever_pending() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let options = Options { sync_each: true, ..quiet() };
    let mut shard = Shard::open(&path, options).unwrap();
    for i in 0..3u8 {
        put(&mut shard, "a", &[i]);
        assert!(shard.durability().durable);
        merge(&mut shard, &[("b", &[i]), ("c", &[i])]);
        assert!(shard.durability().durable);
        shard.delete(b"b").unwrap();
        assert!(shard.durability().durable);
    }
}

#[test]
fn flushed_entries_survive_the_loss_of_what_was_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    for i in 0..300u64 {
        put(&mut shard, &format!("n{i}"), &telling("n", i, 10));
    }
    shard.flush().unwrap();
    let flushed = std::fs::metadata(&path).unwrap().len();
    for i in 300..400u64 {
        put(&mut shard, &format!("n{i}"), &telling("n", i, 10));
    }
    drop(shard);
    let all = std::fs::read(&path).unwrap();
    // Loses a page anywhere in the part that was not flushed.
    for hole in (flushed as usize..all.len()).step_by(777) {
        let mut bytes = all.clone();
        let end = bytes.len().min(hole + 4096);
        bytes[hole..end].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        std::fs::remove_file(lock_path(&path)).unwrap();
        let mut shard = open(&path);
        let mut left = 0;
        for i in 0..400u64 {
            match get(&mut shard, &format!("n{i}")) {
                Some(bytes) => {
                    assert_eq!(check_telling("n", &bytes), i);
                    left += 1;
                }
                None => assert!(i >= 300, "n{i} had been flushed"),
            }
        }
        assert!(left >= 360, "{left}");
        assert_eq!(shard.len(), left);
        assert!(open(&path).verify(&Job::default()).unwrap().corrupt == 0);
    }
}

#[test]
fn after_a_reboot_the_page_is_ignored() {
    let memory = Memory::new();
    let path = Path::new("/a.shard");
    let open = || Shard::open_on(Arc::new(memory.clone()), path, quiet()).unwrap();
    let mut shard = open();
    put(&mut shard, "flushed", b"1");
    shard.flush().unwrap();
    put(&mut shard, "pending", b"1");
    put(&mut shard, "torn", b"1");
    let generation = shard.generation();
    let mut bytes = memory.bytes(path).unwrap();
    let len = bytes.len();
    bytes.truncate(len - 60);
    memory.set_bytes(path, bytes);
    memory.reboot();
    let mut shard = open();
    assert_eq!(get(&mut shard, "flushed").unwrap(), b"1");
    assert_eq!(get(&mut shard, "pending").unwrap(), b"1");
    assert_eq!(get(&mut shard, "torn"), None);
    assert!(shard.generation() > generation);
    assert!(!shard.durability().durable);
    shard.flush().unwrap();
    assert!(shard.durability().durable);
    assert!(memory.bytes(path).unwrap().len() as u64 > HEADER_LEN);
}

#[test]
fn a_root_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    let mut last = 0;
    for i in 0..6u8 {
        put(&mut shard, "k", &[i]);
        shard.flush().unwrap();
        let block = std::fs::read(&path).unwrap();
        let header = warmshard_core::header::Header::decode(&block, None).unwrap();
        let root = warmshard_core::header::Root::decode_all(&block, header.check_seed())[0];
        assert!(root.committed > last && root.committed == block.len() as u64);
        last = root.committed;
    }
}
