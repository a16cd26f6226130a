//! A shard stores, finds, replaces and deletes entries: fresh, reopened, compacted and from another handle.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::path::Path;
use warmshard_core::storage::disk::Disk;
use warmshard_core::storage::{Open, Storage};
use warmshard_core::{Job, Lookup, Options, PutMeta, Shard, Validator};

fn get(shard: &mut Shard, key: &str) -> Option<Vec<u8>> {
    match shard.get(key.as_bytes(), &Validator::None).unwrap() {
        Lookup::Hit(hit) => Some(shard.read_part(&hit, 0).unwrap()),
        Lookup::Miss => None,
        other => panic!("{key}: {other:?}"),
    }
}

fn put(shard: &mut Shard, key: &str, value: &[u8]) {
    shard.put(key.as_bytes(), &[value], PutMeta::default()).unwrap();
}

fn open(path: &Path) -> Shard {
    Shard::open(path, Options::default()).unwrap()
}

#[test]
fn puts_are_found_by_every_handle() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/a.shard");
    let (mut a, mut b) = (open(&path), open(&path));
    assert_eq!(get(&mut a, "x"), None);
    put(&mut a, "x", b"one");
    assert_eq!(get(&mut a, "x").unwrap(), b"one");
    assert_eq!(get(&mut b, "x").unwrap(), b"one");
    put(&mut b, "x", b"two");
    assert_eq!(get(&mut a, "x").unwrap(), b"two");
    assert_eq!((a.len(), b.len()), (1, 1));
    assert!(a.delete(b"x").unwrap() && !a.delete(b"x").unwrap());
    assert_eq!((get(&mut b, "x"), b.len()), (None, 0));
}

#[test]
fn thousands_survive_snapshots_reopening_and_compaction() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    // An automatic compaction could come before the one that the test calls.
    let open =
        |path: &Path| Shard::open(path, Options { auto_compact: false, ..Options::default() }).unwrap();
    let mut shard = open(&path);
    let n = 5000;
    for i in 0..n {
        put(&mut shard, &format!("key {i}"), format!("value {i}").as_bytes());
    }
    for i in (0..n).step_by(3) {
        put(&mut shard, &format!("key {i}"), format!("newer {i}").as_bytes());
    }
    for i in (0..n).step_by(5) {
        assert!(shard.delete(format!("key {i}").as_bytes()).unwrap());
    }
    let check = |shard: &mut Shard| {
        for i in 0..n {
            let want = if i % 5 == 0 {
                None
            } else if i % 3 == 0 {
                Some(format!("newer {i}"))
            } else {
                Some(format!("value {i}"))
            };
            assert_eq!(get(shard, &format!("key {i}")), want.map(String::into_bytes), "{i}");
        }
        assert_eq!(shard.len(), 4000);
        let report = shard.verify(&Job::default()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.live, 4000);
    };
    check(&mut shard);
    check(&mut open(&path));
    shard.close();
    let mut shard = open(&path);
    check(&mut shard);
    let mut other = open(&path);
    let report = shard.compact(&Job::default()).unwrap();
    assert_eq!((report.kept, report.replaced), (4000, true));
    check(&mut shard);
    check(&mut other);
    std::fs::remove_file(dir.path().join("a.shard.lock")).unwrap();
    check(&mut open(&path));
}

#[test]
fn batches_and_replacements_take_effect_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let (mut a, mut b) = (open(&path), open(&path));
    put(&mut a, "old", b"old");
    for round in 0..3u8 {
        let added = a.merge_in(&Job::default(), |batch| {
            (0..2000)
                .try_for_each(|i| batch.put(format!("{i}").as_bytes(), &[&[round; 100]], PutMeta::default()))
        });
        assert_eq!(added.unwrap(), 2000);
        assert_eq!(b.len(), 2001);
        assert_eq!(get(&mut b, "1999").unwrap(), [round; 100]);
    }
    a.replace_all(&Job::default(), |batch| batch.put(b"only", &[b"1"], PutMeta::default())).unwrap();
    assert_eq!((b.len(), get(&mut b, "only").unwrap(), get(&mut b, "old")), (1, b"1".to_vec(), None));
    a.clear().unwrap();
    assert_eq!((b.len(), a.len()), (0, 0));
    put(&mut b, "again", b"x");
    assert_eq!(get(&mut a, "again").unwrap(), b"x");
}

#[test]
fn the_length_of_a_file_is_seen_through_every_descriptor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let disk = Disk::default();
    let file = disk.open(&path, Open::Create).unwrap().unwrap();
    let other = disk.open(&path, Open::Write).unwrap().unwrap();
    for len in [0, 5000, 3] {
        other.set_len(len).unwrap();
        assert_eq!((file.length().unwrap(), file.identity().unwrap().len), (len, len));
    }
    // Asking for the length does not move the position of later reads and writes.
    file.write_at(b"abc", 10).unwrap();
    let mut read = [0; 2];
    assert_eq!((other.read_at(&mut read, 11).unwrap(), &read), (2, b"bc"));
}
