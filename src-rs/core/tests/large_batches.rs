//! The disk became full in the middle of a large batch, and half of the batch was there afterwards.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use warmshard_core::digest::Digest;
use warmshard_core::storage::Storage;
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Code, Error, Job, Options, PutMeta, Result, Shard};

/// A batch so large that most of it is written on another thread.
const ENTRIES: u64 = 1000;
const BYTES: usize = 10_000;

fn key(i: u64) -> String {
    format!("key {i}")
}

/// Puts a value; two of three values are lent.
fn give(batch: &mut warmshard_core::shard::Batch<'_, '_>, i: u64, round: u64, len: usize) -> Result<()> {
    type Kept = BTreeMap<(u64, u64, usize), &'static [u8]>;
    static KEPT: Mutex<Kept> = Mutex::new(Kept::new());
    let key = key(i);
    if i.is_multiple_of(3) {
        return batch.put(key.as_bytes(), &[&telling(&key, round, len)], PutMeta::default());
    }
    let value = *KEPT
        .lock()
        .unwrap()
        .entry((i, round, len))
        .or_insert_with(|| Box::leak(telling(&key, round, len).into_boxed_slice()));
    batch.put_lent(key.as_bytes(), value, PutMeta::default()).map(drop)
}

fn change(shard: &mut Shard, round: u64, replace: bool) -> Result<u64> {
    let job = Job::default();
    let fill = |batch: &mut warmshard_core::shard::Batch<'_, '_>| {
        (0..ENTRIES).try_for_each(|i| give(batch, i, round, BYTES))
    };
    if replace { shard.replace_all(&job, fill) } else { shard.merge_in(&job, fill) }
}

fn check(shard: &mut Shard, round: u64) {
    assert_eq!(shard.len(), ENTRIES);
    for i in 0..ENTRIES {
        assert_eq!(check_telling(&key(i), &get(shard, &key(i)).unwrap()), round);
    }
}

#[test]
fn whichever_write_fails_nothing_of_the_batch_is_there() {
    let left = Arc::new(AtomicI64::new(-1));
    let storage = {
        let left = Arc::clone(&left);
        Faulty::new(Disk::default(), move |what, path| {
            if what == "pwrite" && left.fetch_sub(1, Ordering::SeqCst) == 0 {
                return Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()));
            }
            Ok(())
        })
    };
    for replace in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let mut shard = Shard::open_on(Arc::clone(&storage) as _, &path, quiet()).unwrap();
        change(&mut shard, 1, replace).unwrap();
        let len = std::fs::metadata(&path).unwrap().len();
        let mut refused = 0;
        for piece in 0.. {
            left.store(piece, Ordering::SeqCst);
            let Err(error) = change(&mut shard, 2, replace) else { break };
            refused += 1;
            assert_eq!(error.code(), Code::NoSpace, "{error}");
            if refused % 3 == 1 {
                check(&mut shard, 1);
                check(&mut open(&path), 1);
            }
            assert_eq!(
                std::fs::metadata(&path).unwrap().len(),
                len,
                "a part of the batch is left in the file"
            );
        }
        assert!(refused > 5, "only {refused} writes");
        left.store(-1, Ordering::SeqCst);
        for shard in [&mut shard, &mut open(&path)] {
            check(shard, 2);
            assert!(shard.verify(&Job::default()).unwrap().is_sound());
        }
    }
}

#[test]
fn a_batch_that_its_caller_gives_up_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    // So slow that writes are always under way.
    let storage = Faulty::new(Disk::default(), |what, _| {
        if what == "pwrite" {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Ok(())
    });
    let mut shard = Shard::open_on(storage, &path, quiet()).unwrap();
    change(&mut shard, 1, false).unwrap();
    let len = std::fs::metadata(&path).unwrap().len();
    for most in [300, 500, 700] {
        let given_up = shard.merge_in(&Job::default(), |batch| {
            for i in 0..most {
                batch.put_lent(key(i).as_bytes(), &[7; BYTES], PutMeta::default())?;
            }
            batch.put(b"", &[b"no key"], PutMeta::default())
        });
        assert_eq!(given_up.unwrap_err().code(), Code::InvalidKey);
        // Time for a write that was not waited for.
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), len);
        check(&mut shard, 1);
    }
}

#[test]
fn entries_that_a_batch_gives_twice_are_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "there", &[1; 100]);
    put(&mut shard, "goes", &[1; 100]);
    for rounds in 1..4u64 {
        shard
            .merge_in(&Job::default(), |batch| {
                for i in 0..rounds {
                    for key in ["there", "new", "goes"] {
                        let value = vec![i as u8; 100 + i as usize];
                        batch.put(key.as_bytes(), &[&value], PutMeta::default())?;
                    }
                    batch.delete(b"goes")?;
                    batch.delete(b"never there")?;
                }
                Ok(())
            })
            .unwrap();
        let counted = (shard.len(), shard.stats().live_bytes);
        assert_eq!(counted.0, 2);
        assert_eq!(
            (get(&mut shard, "goes"), get(&mut shard, "new").unwrap().len()),
            (None, 99 + rounds as usize)
        );
        // Without its sidecar, the entries of a file are counted frame by frame.
        let copy = dir.path().join("copy.shard");
        std::fs::copy(&path, &copy).unwrap();
        let mut found = open(&copy);
        assert_eq!((found.len(), found.stats().live_bytes), counted);
        drop(found);
        let _ = std::fs::remove_file(lock_path(&copy));
    }
}

/// Frames of all kinds and sizes: some end exactly with a write, some reach into the next one, some span several.
fn mixed(batch: &mut warmshard_core::shard::Batch<'_, '_>) -> Result<()> {
    for i in 0..1500u64 {
        let len = match i % 500 {
            7 => 3 << 20,
            8 => (1 << 20) - 116,
            9 => 0,
            n => (n * n % 40_000) as usize,
        };
        give(batch, i, 1, len)?;
        if i % 10 == 3 {
            batch.delete(key(i).as_bytes())?;
        }
    }
    Ok(())
}

#[test]
fn every_frame_is_sealed_whichever_thread_is_faster() {
    let slow = || {
        Faulty::new(Disk::default(), |what, _| {
            if what == "pwrite" {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Ok(())
        })
    };
    for digest in [Digest::Xxh3, Digest::Blake3] {
        for storage in [slow() as Arc<dyn Storage>, Arc::new(Disk::default())] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.shard");
            let options = Options { digest: Some(digest.clone()), ..quiet() };
            let mut shard = Shard::open_on(storage, &path, options.clone()).unwrap();
            shard.merge_in(&Job::default(), mixed).unwrap();
            for compact in [false, true] {
                if compact {
                    shard.compact(&Job::default()).unwrap();
                }
                for shard in [&mut shard, &mut Shard::open(&path, options.clone()).unwrap()] {
                    assert!(shard.verify(&Job::default()).unwrap().is_sound());
                    assert_eq!(shard.len(), 1350);
                    for i in 0..1500 {
                        let there = get(shard, &key(i)).map(|value| check_telling(&key(i), &value));
                        assert_eq!(there, (i % 10 != 3).then_some(1), "{i}");
                    }
                }
            }
        }
    }
}

#[test]
fn values_are_lent_once_another_thread_writes_the_batch() {
    static VALUE: [u8; BYTES] = [7; BYTES];
    let dir = tempfile::tempdir().unwrap();
    let mut shard = open(&dir.path().join("a.shard"));
    let mut read = Vec::new();
    let fill = |batch: &mut warmshard_core::shard::Batch<'_, '_>| {
        for i in 0..ENTRIES {
            read.push(batch.put_lent(key(i).as_bytes(), &VALUE, PutMeta::default())?);
        }
        // A small value is always copied.
        assert!(batch.put_lent(b"small", &VALUE[..100], PutMeta::default())?);
        Ok(())
    };
    shard.merge_in(&Job::default(), fill).unwrap();
    assert!(read.is_sorted_by(|a, b| a >= b), "read at once until the other thread has started");
    let lent = read.iter().filter(|read| !**read).count();
    assert!(read.first().unwrap() & (lent > 500), "{lent}");
    assert!((0..ENTRIES).all(|i| get(&mut shard, &key(i)).unwrap() == VALUE));
    assert_eq!(get(&mut shard, "small").unwrap(), VALUE[..100]);
}

#[test]
fn a_value_is_never_mistaken_for_a_frame() {
    // At each offset it looks like the head of a frame of 256 bytes.
    static VALUE: [u64; 4096] = [256u64.to_le(); 4096];
    let bytes = zerocopy::IntoBytes::as_bytes(&VALUE);
    for from in 0..24 {
        let value = &bytes[..from * 16 + 9000];
        let dir = tempfile::tempdir().unwrap();
        let mut shard = open(&dir.path().join("a.shard"));
        let fill = |batch: &mut warmshard_core::shard::Batch<'_, '_>| {
            (0..ENTRIES).try_for_each(|i| match i % 3 {
                0 => batch.put(key(i).as_bytes(), &[value], PutMeta::default()),
                _ => batch.put_lent(key(i).as_bytes(), value, PutMeta::default()).map(drop),
            })
        };
        shard.merge_in(&Job::default(), fill).unwrap();
        assert!(shard.verify(&Job::default()).unwrap().is_sound());
        assert!((0..ENTRIES).all(|i| get(&mut shard, &key(i)).unwrap() == value));
    }
}

#[test]
fn space_reserved_in_advance_is_used_or_given_back() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    // Allows for blocks in which the file system itself notes where the file is.
    let len_if_all_is_used = || {
        let there = std::fs::metadata(&path).unwrap();
        assert!(
            there.blocks() * 512 <= there.len() + (64 << 10),
            "{} blocks: {}",
            there.blocks(),
            there.len()
        );
        there.len()
    };
    let mut shard = open(&path);
    change(&mut shard, 1, false).unwrap();
    shard.flush().unwrap();
    let len = len_if_all_is_used();
    let given_up = shard.merge_in(&Job::default(), |batch| {
        mixed(batch)?;
        batch.put(b"", &[b"no key"], PutMeta::default())
    });
    given_up.unwrap_err();
    assert_eq!(len_if_all_is_used(), len);
    // If space cannot be reserved, the writes go on without.
    let refused = Arc::new(AtomicI64::new(0));
    let counts = Arc::clone(&refused);
    let storage = Faulty::new(Disk::default(), move |what, path| {
        if what == "reserve" {
            counts.fetch_add(1, Ordering::SeqCst);
            return Err(Error::io(what, path, std::io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    });
    let mut shard = Shard::open_on(storage, &path, quiet()).unwrap();
    change(&mut shard, 2, false).unwrap();
    check(&mut shard, 2);
    assert!((1..4).contains(&refused.load(Ordering::SeqCst)), "tried to reserve space again and again");
}
