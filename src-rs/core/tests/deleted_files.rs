//! A cleaner of temporary folders deleted the cache while a server was using it.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::path::Path;
use std::time::{Duration, Instant};
use warmshard_core::limits::{HITS_PER_CLOCK, IDENTITY_CHECK_MS, MISSES_PER_CLOCK};
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Job, Shard};

fn setup() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("folder/a.shard");
    put(&mut open(&path), "k", b"old");
    (dir, path)
}

fn wait_for_check() {
    std::thread::sleep(Duration::from_millis(IDENTITY_CHECK_MS + 30));
}

#[test]
fn a_deleted_sidecar_is_noticed_by_a_write_at_once_and_by_reads_in_time() {
    let (_dir, path) = setup();
    let (mut a, mut b) = (open(&path), open(&path));
    let mut reader = Shard::open(&path, read_only()).unwrap();
    for shard in [&mut a, &mut b, &mut reader] {
        assert_eq!(get(shard, "k").unwrap(), b"old");
    }
    std::fs::remove_file(lock_path(&path)).unwrap();
    put(&mut a, "k", b"new");
    let generation = a.generation();
    put(&mut a, "l", b"new");
    assert_eq!(get(&mut a, "k").unwrap(), b"new");
    wait_for_check();
    for shard in [&mut b, &mut reader] {
        // A miss checks the paths; hits do so only now and then.
        get(shard, "absent");
        assert_eq!(get(shard, "k").unwrap(), b"new");
        assert!(shard.generation() > generation);
    }
    put(&mut b, "k", b"newest");
    assert_eq!(get(&mut a, "k").unwrap(), b"newest");
    assert_eq!(get(&mut reader, "k").unwrap(), b"newest");
}

#[test]
fn hits_alone_notice_a_deleted_sidecar_too() {
    let (_dir, path) = setup();
    let mut b = open(&path);
    assert_eq!(get(&mut b, "k").unwrap(), b"old");
    std::fs::remove_file(lock_path(&path)).unwrap();
    put(&mut open(&path), "k", b"new");
    wait_for_check();
    let noticed = (0..=HITS_PER_CLOCK).any(|_| get(&mut b, "k").unwrap() == b"new");
    assert!(noticed);
}

#[test]
fn rare_misses_notice_a_replaced_shard_at_once_and_a_burst_of_them_soon_after() {
    let (_dir, path) = setup();
    let mut b = open(&path);
    let replace = |value: &[u8]| {
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(lock_path(&path)).unwrap();
        put(&mut open(&path), "k", value);
        wait_for_check();
    };
    let missed = |b: &mut Shard, value: &[u8]| {
        get(b, "absent");
        get(b, "k").is_some_and(|found| found == value)
    };
    for value in [b"1", b"2", b"3"] {
        replace(value);
        assert!(missed(&mut b, value), "one miss is enough");
    }
    (0..1000).for_each(|_| drop(get(&mut b, "absent")));
    replace(b"4");
    assert!((0..=MISSES_PER_CLOCK).any(|_| missed(&mut b, b"4")));
}

#[test]
fn two_writers_that_lost_their_sidecar_lose_no_entry() {
    let (_dir, path) = setup();
    let (mut a, mut b) = (open(&path), open(&path));
    let mut generation = 0;
    for i in 0..30u64 {
        std::fs::remove_file(lock_path(&path)).unwrap();
        let shard = if i % 2 == 0 { &mut a } else { &mut b };
        put(shard, &format!("n{i}"), &telling("n", i, 10));
        assert!(shard.generation() > generation, "the generation went back");
        generation = shard.generation();
        assert_eq!(shard.len(), i + 2);
    }
    assert_eq!(open(&path).len(), 31);
}

#[test]
fn a_deleted_shard_reads_as_empty_in_time_and_is_created_again() {
    let (_dir, path) = setup();
    let (mut a, mut b) = (open(&path), open(&path));
    put(&mut a, "x", b"1");
    let before = a.generation();
    std::fs::remove_file(&path).unwrap();
    wait_for_check();
    get(&mut b, "absent");
    assert_eq!((get(&mut b, "k"), b.len()), (None, 0));
    put(&mut a, "y", b"2");
    assert_eq!((get(&mut a, "k"), get(&mut a, "y").unwrap()), (None, b"2".to_vec()));
    assert_eq!(get(&mut b, "y").unwrap(), b"2");
    assert!(b.generation() > before);
    assert_eq!((a.len(), b.len()), (1, 1));
}

#[test]
fn the_generation_rises_although_all_files_were_deleted() {
    let (_dir, path) = setup();
    let mut a = open(&path);
    (0..20).for_each(|_| put(&mut a, "k", b"1"));
    let before = a.generation();
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(lock_path(&path)).unwrap();
    put(&mut a, "k", b"2");
    assert!(a.generation() > before);
    assert_eq!(get(&mut open(&path), "k").unwrap(), b"2");
}

#[test]
fn a_replaced_shard_is_noticed() {
    let (dir, path) = setup();
    let warm = dir.path().join("warm.shard");
    put(&mut open(&warm), "k", b"warmed");
    let (mut a, mut b) = (open(&path), open(&path));
    let mut reader = Shard::open(&path, read_only()).unwrap();
    get(&mut a, "k");
    std::fs::rename(&warm, &path).unwrap();
    wait_for_check();
    get(&mut reader, "absent");
    assert_eq!(get(&mut reader, "k").unwrap(), b"warmed");
    put(&mut a, "l", b"1");
    for shard in [&mut a, &mut b, &mut reader, &mut open(&path)] {
        get(shard, "absent");
        assert_eq!(get(shard, "k").unwrap(), b"warmed");
        assert_eq!(get(shard, "l").unwrap(), b"1");
    }
}

#[test]
fn a_removed_folder_is_created_again_by_writes_only() {
    let (_dir, path) = setup();
    let folder = path.parent().unwrap().to_path_buf();
    let (mut a, mut b) = (open(&path), open(&path));
    for i in 0..100 {
        put(&mut a, &format!("n{i}"), b"1");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    wait_for_check();
    get(&mut b, "absent");
    assert_eq!(get(&mut b, "k"), None);
    drop(b);
    assert!(!Path::new(&folder).exists(), "a look-up created the folder again");
    put(&mut a, "k", b"new");
    assert_eq!(get(&mut open(&path), "k").unwrap(), b"new");
    std::fs::remove_dir_all(&folder).unwrap();
    for i in 0..100 {
        put(&mut a, &format!("n{i}"), b"1");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    a.close();
    assert!(!Path::new(&folder).exists(), "`close` created the folder again");
}

#[test]
fn a_writer_that_died_while_replacing_the_file_does_not_block_readers() {
    let (_dir, path) = setup();
    let mut reader = Shard::open(&path, read_only()).unwrap();
    let mut writer = open(&path);
    assert_eq!(get(&mut reader, "k").unwrap(), b"old");
    put(&mut writer, "l", b"2");
    // Leaves the page as in the middle of a replacement: the epoch (word 8) is odd.
    let file = std::fs::OpenOptions::new().read(true).write(true).open(lock_path(&path)).unwrap();
    use std::os::unix::fs::FileExt;
    let mut word = [0; 8];
    file.read_exact_at(&mut word, 64).unwrap();
    let odd = u64::from_le_bytes(word) | 1;
    file.write_all_at(&odd.to_le_bytes(), 64).unwrap();
    wait_for_check();
    get(&mut reader, "absent");
    assert_eq!(get(&mut reader, "l").unwrap(), b"2");
    put(&mut writer, "m", b"3");
    assert_eq!(get(&mut reader, "m").unwrap(), b"3");
}

#[test]
fn a_file_truncated_under_its_handles_is_repaired() {
    let (_dir, path) = setup();
    let mut a = Shard::open(&path, unmapped()).unwrap();
    let mut b = Shard::open(&path, unmapped()).unwrap();
    put(&mut a, "big", &telling("big", 1, 9000));
    let len = std::fs::metadata(&path).unwrap().len();
    for cut in [1, 8, 100, 5000] {
        put(&mut a, "big", &telling("big", 1, 9000));
        // The other handle verifies these bytes now, and will not do so again.
        check_telling("big", &get(&mut b, "big").unwrap());
        let now = std::fs::metadata(&path).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(now - cut).unwrap();
        put(&mut a, "next", b"1");
        assert_eq!(get(&mut a, "next").unwrap(), b"1");
        assert_eq!(get(&mut a, "k").unwrap(), b"old");
        for shard in [&mut a, &mut b, &mut open(&path)] {
            assert_eq!(get(shard, "next").unwrap(), b"1");
            if let Some(bytes) = get(shard, "big") {
                check_telling("big", &bytes);
            }
        }
    }
    assert!(std::fs::metadata(&path).unwrap().len() > len);
}

#[test]
fn opening_costs_little_however_often_files_vanish() {
    let (_dir, path) = setup();
    // Without real syncs, whose time is not measured here.
    let storage = Faulty::unsynced(Disk::default());
    let once = || {
        let start = Instant::now();
        let mut shard = Shard::open_on(storage.clone(), &path, quiet()).unwrap();
        put(&mut shard, "k", b"1");
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(lock_path(&path)).unwrap();
        shard.flush().unwrap();
        shard.compact(&Job::default()).unwrap();
        drop(shard);
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_file(lock_path(&path));
        Some(start.elapsed())
    };
    for _ in 0..50 {
        at_best(Duration::from_millis(400), once);
    }
}
