//! The OOM killer ended a writer between data and commit. Readers must not see half of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::*;
use std::time::{Duration, Instant};
use warmshard_core::frame::{COMMIT, Sealer};
use warmshard_core::header::Header;
use warmshard_core::{Job, PutMeta, Shard};

/// Writes frames after the published end, like a writer that dies before it publishes them.
fn die_after_writing(
    path: &std::path::Path,
    make: impl Fn(&mut Shard),
    keep: impl Fn(&[u8], usize) -> usize,
) {
    let sidecar = std::fs::read(lock_path(path)).unwrap();
    let published = std::fs::metadata(path).unwrap().len() as usize;
    make(&mut open(path));
    let bytes = std::fs::read(path).unwrap();
    let keep = keep(&bytes, published);
    // In place, because other handles have the file mapped.
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(keep as u64).unwrap();
    std::os::unix::fs::FileExt::write_all_at(
        &std::fs::OpenOptions::new().write(true).open(lock_path(path)).unwrap(),
        &sidecar,
        0,
    )
    .unwrap();
}

#[test]
fn a_complete_frame_left_unpublished_is_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "before", b"1");
    die_after_writing(&path, |s| put(s, "orphan", b"2"), |b, _| b.len());
    let mut shard = open(&path);
    let mut idle = open(&path);
    put(&mut shard, "next", b"3");
    for shard in [&mut shard, &mut idle, &mut open(&path)] {
        assert_eq!(get(shard, "orphan").unwrap(), b"2");
        assert_eq!(get(shard, "next").unwrap(), b"3");
        assert_eq!(shard.len(), 3);
    }
}

#[test]
fn a_torn_frame_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "before", b"1");
    for missing in [1, 16, 100, 1000, 4000] {
        let big = telling("orphan", missing as u64, 4000);
        die_after_writing(&path, |s| put(s, "orphan", &big), |b, _| b.len() - missing);
        let mut shard = open(&path);
        put(&mut shard, "next", b"3");
        for shard in [&mut shard, &mut open(&path)] {
            assert_eq!(get(shard, "orphan"), None);
            assert_eq!(
                (get(shard, "before").unwrap(), get(shard, "next").unwrap()),
                (b"1".to_vec(), b"3".to_vec())
            );
            assert!(shard.verify(&Job::default()).unwrap().is_sound());
        }
    }
}

#[test]
fn a_batch_without_its_commit_is_never_half_visible() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "before", b"1");
    let batch: [(&str, &[u8]); 4] = [("a", b"1"), ("b", b"2"), ("before", b"2"), ("d", b"4")];
    let published = std::fs::metadata(&path).unwrap().len() as usize;
    let mut cut = published;
    loop {
        let mut whole = 0;
        die_after_writing(&path, |s| merge(s, &batch), |b, _| cut.min(b.len()));
        for (n, sidecar) in [true, false].into_iter().enumerate() {
            let copy = dir.path().join(format!("{n}.shard"));
            copy_shard(&path, &copy);
            if !sidecar {
                std::fs::remove_file(lock_path(&copy)).unwrap();
            }
            let mut reader = Shard::open(&copy, read_only()).unwrap();
            let seen_by_reader =
                batch.iter().filter(|(k, v)| get(&mut reader, k).as_deref() == Some(v)).count();
            let mut shard = open(&copy);
            put(&mut shard, "next", b"3");
            for shard in [&mut shard, &mut open(&copy)] {
                let seen = batch.iter().filter(|(k, v)| get(shard, k).as_deref() == Some(v)).count();
                assert!(seen == 0 || seen == 4, "{seen} of a batch, cut at {cut}");
                whole = whole.max(seen);
                assert!(get(shard, "before").is_some() && get(shard, "next").is_some());
                assert!(seen_by_reader == 0 || seen_by_reader == 4);
            }
            // What a reader may have seen stays.
            assert!(seen_by_reader <= whole);
        }
        if whole == 4 {
            break;
        }
        cut += 16;
        assert!(cut < published + 10_000);
    }
}

#[test]
fn a_batch_that_lost_a_frame_to_a_power_cut_stays_invisible_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    put(&mut open(&path), "before", b"1");
    let from = std::fs::metadata(&path).unwrap().len() as usize;
    let mut shard = open(&path);
    merge(&mut shard, &[("a", b"1"), ("b", b"2"), ("before", b"2")]);
    put(&mut shard, "behind", b"1");
    drop(shard);
    let bytes = std::fs::read(&path).unwrap();
    let lost: Vec<usize> =
        frames(&bytes).iter().map(|(at, _)| *at).filter(|at| *at >= from).take(4).collect();
    let (commit, _) = *frames(&bytes).iter().find(|(_, h)| h.kind == COMMIT).unwrap();
    assert_eq!(lost[3], commit);
    for at in lost {
        for within in [0, 90] {
            let mut bad = bytes.clone();
            bad[at + within..at + within + 16].fill(0);
            std::fs::write(&path, &bad).unwrap();
            // As after a reboot, when the sidecar does not count.
            std::fs::remove_file(lock_path(&path)).unwrap();
            let mut shard = open(&path);
            for round in 0..4 {
                let seen = [("a", "1"), ("b", "2"), ("before", "2")]
                    .iter()
                    .filter(|(k, v)| get(&mut shard, k).as_deref() == Some(v.as_bytes()))
                    .count();
                assert!(
                    seen == 0 || (at == commit && within == 90 && seen == 3),
                    "{seen} at {at}+{within}, round {round}"
                );
                assert_eq!(get(&mut shard, "before").unwrap(), if seen == 0 { b"1" } else { b"2" });
                match round {
                    0 => put(&mut shard, "next", b"1"),
                    1 => shard = open(&path),
                    _ => drop(shard.compact(&Job::default()).unwrap()),
                }
                assert_eq!(get(&mut shard, "behind").unwrap(), b"1");
                assert_eq!(get(&mut shard, "next").unwrap(), b"1");
            }
        }
    }
}

#[test]
fn a_torn_record_that_was_not_flushed_does_not_hide_the_one_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    put(&mut shard, "k", b"old");
    let at = std::fs::metadata(&path).unwrap().len() as usize;
    put(&mut shard, "k", b"new");
    put(&mut shard, "behind", b"1");
    drop(shard);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[at + 96] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    std::fs::remove_file(lock_path(&path)).unwrap();
    let mut first = open(&path);
    for shard in [&mut first, &mut open(&path), &mut Shard::open(&path, unmapped()).unwrap()] {
        assert_eq!(get(shard, "k").unwrap(), b"old");
        assert_eq!(get(shard, "behind").unwrap(), b"1");
        assert_eq!(shard.len(), 2);
    }
}

#[test]
fn frames_of_another_shard_are_never_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.shard"), dir.path().join("b.shard"));
    put(&mut open(&a), "a", b"1");
    put(&mut open(&b), "b", b"1");
    put(&mut open(&b), "c", b"1");
    let mut bytes = std::fs::read(&a).unwrap();
    let other = std::fs::read(&b).unwrap();
    bytes.extend_from_slice(&other[bytes.len()..]);
    std::fs::write(&a, &bytes).unwrap();
    let mut shard = open(&a);
    assert_eq!((get(&mut shard, "c"), get(&mut shard, "a").is_some()), (None, true));
    put(&mut shard, "d", b"1");
    assert_eq!(open(&a).len(), 2);
    let block = std::fs::read(&a).unwrap();
    let header = Header::decode(&block, None).unwrap();
    let sealer = Sealer::new(header.check_seed(), header.digest);
    for (at, head) in frames(&block) {
        assert!(sealer.verify(&block[at..at + head.length.get() as usize], at as u64));
    }
}

#[test]
fn a_storm_of_kills_leaves_whole_batches_and_right_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let start = Instant::now();
    let mut reader = open(&path);
    let mut highest = 0;
    let mut kills = 0u64;
    while start.elapsed() < Duration::from_secs(5) || kills <= 10 {
        let mut children: Vec<_> =
            (0..2).map(|n| child("child_storms", &path, &(kills * 2 + n).to_string())).collect();
        std::thread::sleep(Duration::from_millis(30 + kills * 7 % 60));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        kills += 1;
        check_storm(&mut reader);
        let mut fresh = open(&path);
        check_storm(&mut fresh);
        put(&mut fresh, "survivor", &telling("survivor", kills, 10));
        assert_eq!(check_telling("survivor", &get(&mut reader, "survivor").unwrap()), kills);
        let generation = reader.generation();
        assert!(generation > highest, "the generation went back");
        highest = generation;
    }
    let report = reader.verify(&Job::default()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.shard", "a.shard.lock"], "temporary files of dead processes are swept");
}

fn check_storm(shard: &mut Shard) {
    for k in 0..20 {
        if let Some(bytes) = get(shard, &format!("k{k}")) {
            check_telling(&format!("k{k}"), &bytes);
        }
    }
    let batch: Vec<Option<u64>> =
        (0..5).map(|k| get(shard, &format!("b{k}")).map(|b| check_telling(&format!("b{k}"), &b))).collect();
    assert!(batch.iter().all(|round| *round == batch[0]), "half a batch: {batch:?}");
}

/// Puts, merges and compacts until it is killed.
#[test]
#[ignore = "a role for a child process"]
fn child_storms() {
    let Some((path, arg)) = role() else { return };
    let mut round = arg.parse::<u64>().unwrap() << 20;
    let mut shard = open(&path);
    loop {
        round += 1;
        let key = format!("k{}", round % 20);
        put(&mut shard, &key, &telling(&key, round, (round % 9000) as usize));
        if round % 3 == 0 {
            shard
                .merge_in(&Job::default(), |batch| {
                    (0..5).try_for_each(|k| {
                        let key = format!("b{k}");
                        let value = telling(&key, round, (round % 300_000) as usize);
                        batch.put(key.as_bytes(), &[&value], PutMeta::default())
                    })
                })
                .unwrap();
        }
        if round % 50 == 0 {
            shard.compact(&Job::default()).unwrap();
        }
    }
}
