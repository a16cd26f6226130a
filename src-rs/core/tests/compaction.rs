//! The cache grew until the disk was full, or dropped what was used daily.

mod common;
use common::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use warmshard_core::header::Header;
use warmshard_core::limits::{MIN_COMPACT_BYTES, RECENCY_BITS};
use warmshard_core::{Job, Options, Shard, key};

#[test]
fn recently_used_entries_survive_eviction() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let options = Options { max_bytes: 1 << 20, ..quiet() };
    let mut stranger = Shard::open(&path, by("stranger")).unwrap();
    let mut shard = Shard::open(&path, options.clone()).unwrap();
    put(&mut stranger, "s", &[0; 10_000]);
    for i in 0..150u64 {
        put(&mut shard, &format!("n{i}"), &telling("n", i, 10_000));
    }
    std::thread::sleep(Duration::from_millis(40));
    let seed = Header::decode(&std::fs::read(&path).unwrap(), None).unwrap().seed;
    let bucket = |i: u64| key::hash(format!("n{i}").as_bytes(), seed) >> (64 - RECENCY_BITS.start());
    let used: Vec<u64> = (0..10).map(bucket).collect();
    // A few of the oldest are used by another handle.
    let mut reader = open(&path);
    for i in 0..10 {
        get(&mut reader, &format!("n{i}")).unwrap();
    }
    let report = shard.compact(&Job::default()).unwrap();
    assert!(report.replaced && report.evicted > 50, "{report:?}");
    assert!(report.bytes_after <= 1 << 20, "{report:?}");
    for i in 0..10 {
        assert!(get(&mut shard, &format!("n{i}")).is_some(), "n{i} was in use");
    }
    assert!(get(&mut shard, "n149").is_some(), "the newest");
    // Entries whose hashes share a bucket share the time of their last use.
    for i in (10..30).filter(|i| get(&mut shard, &format!("n{i}")).is_some()) {
        assert!(used.contains(&bucket(i)), "n{i} is one of the oldest and was not used");
    }
    assert!(get(&mut stranger, "s").is_none(), "another producer's entries go first");
    assert_eq!(shard.stats().evictions, report.evicted);
    assert_eq!(shard.compact(&Job::default()).unwrap().evicted, 0);
}

#[test]
fn the_recency_table_grows_with_the_shard() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut shard, mut other) = (open(&path), open(&path));
    put(&mut shard, "k", b"1");
    get(&mut shard, "k").unwrap();
    let before = std::fs::metadata(lock_path(&path)).unwrap().len();
    let n = (1u64 << RECENCY_BITS.start()) * 3;
    let fill = |batch: &mut warmshard_core::shard::Batch<'_, '_>| {
        batch.put(b"k", &[b"1"], Default::default())?;
        (0..n).try_for_each(|i| batch.put(format!("n{i}").as_bytes(), &[b"1"], Default::default()))
    };
    shard.replace_all(&Job::default(), fill).unwrap();
    assert!(std::fs::metadata(lock_path(&path)).unwrap().len() > before);
    std::thread::sleep(Duration::from_millis(40));
    for handle in [&mut other, &mut shard] {
        let cached = handle.info(b"n7").unwrap().unwrap().cached_ns / 1_000_000;
        get(handle, "n7").unwrap();
        assert!(handle.info(b"n7").unwrap().unwrap().last_used_ms > cached);
    }
}

#[test]
fn nothing_put_while_another_thread_compacts_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "first", b"1");
    let stop = AtomicBool::new(false);
    let compactions = &AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut shard = open(&path);
            while !stop.load(Ordering::Relaxed) {
                let replaced = shard.compact(&Job::default()).unwrap().replaced;
                compactions.fetch_add(u64::from(replaced), Ordering::Relaxed);
            }
        });
        let writers: Vec<_> = (0..2u64)
            .map(|n| {
                let path = &path;
                scope.spawn(move || {
                    let mut shard = open(path);
                    let start = Instant::now();
                    let mut i = 0;
                    let few = || compactions.load(Ordering::Relaxed) <= 3 && start.elapsed() < FOR_EVER;
                    while start.elapsed() < Duration::from_secs(2) || few() {
                        let key = format!("{n} {i}");
                        put(&mut shard, &key, &telling(&key, i, (i % 5000) as usize));
                        if i % 3 == 1 {
                            assert!(shard.delete(format!("{n} {}", i - 1).as_bytes()).unwrap());
                        }
                        i += 1;
                    }
                    i
                })
            })
            .collect();
        let counts: Vec<u64> = writers.into_iter().map(|w| w.join().unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(compactions.load(Ordering::Relaxed) > 3);
        let mut shard = open(&path);
        for (n, count) in counts.iter().enumerate() {
            for i in 0..*count {
                let key = format!("{n} {i}");
                let deleted = i % 3 == 0 && i + 1 < *count;
                let found = get(&mut shard, &key);
                assert_eq!(found.is_none(), deleted, "{key}");
                found.iter().for_each(|b| assert_eq!(check_telling(&key, b), i));
            }
        }
        assert!(shard.verify(&Job::default()).unwrap().is_sound());
    });
}

#[test]
fn overwriting_for_ever_does_not_fill_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = Shard::open(&path, Options::default()).unwrap();
    let mut largest = 0;
    let mut round = 0u64;
    let (mut last, mut shrunk) = (0, 0);
    // A background thread compacts the file as soon as it is scheduled.
    while shrunk < 3 {
        let key = format!("k{}", round % 10);
        put(&mut shard, &key, &telling(&key, round, 20_000));
        let len = std::fs::metadata(&path).unwrap().len();
        shrunk += u32::from(len < last);
        (last, largest) = (len, largest.max(len));
        round += 1;
        assert!(len < 1 << 30, "{round} rounds");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(largest > MIN_COMPACT_BYTES);
    for k in 0..10 {
        let key = format!("k{k}");
        assert!(check_telling(&key, &get(&mut shard, &key).unwrap()) >= round - 10);
    }
}

#[test]
fn the_size_bound_holds_for_ever_new_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let options = Options { max_bytes: 1 << 20, ..Options::default() };
    let mut shard = Shard::open(&path, options).unwrap();
    for i in 0..400u64 {
        put(&mut shard, &format!("n{i}"), &telling("n", i, 20_000));
        assert!(std::fs::metadata(&path).unwrap().len() < 3 << 20);
    }
    assert!(get(&mut shard, "n399").is_some());
    assert!(shard.len() < 3 * 53);
}

#[test]
fn a_damaged_newer_record_does_not_bring_the_older_one_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"old");
    let at = std::fs::metadata(&path).unwrap().len();
    put(&mut shard, "k", b"new");
    put(&mut shard, "l", b"1");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"N", at + 96).unwrap();
    let mut shard = open(&path);
    assert_eq!(get(&mut shard, "k"), None);
    let report = shard.compact(&Job::default()).unwrap();
    assert_eq!((report.corrupt, report.kept), (1, 1));
    assert_eq!((get(&mut shard, "k"), get(&mut shard, "l").unwrap()), (None, b"1".to_vec()));
}

#[test]
fn an_aborted_compaction_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"1");
    let job = Job::default();
    job.abort();
    assert_eq!(shard.compact(&job).unwrap_err().code(), warmshard_core::Code::Aborted);
    assert_eq!(get(&mut shard, "k").unwrap(), b"1");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}
