//! A process that wanted one entry of a large shard had to wait until megabytes of its index had been checked.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use warmshard_core::frame::{HEAD_LEN, SNAPSHOT, Sealer};
use warmshard_core::header::Header;
use warmshard_core::index::snapshot::{RAW_LEN, Table};
use warmshard_core::limits::{CHECK_AT_ONCE, LOOKUPS_UNCHECKED};
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Digest, Job, PutMeta, Quick, Shard, key};

const OLDER: usize = 26_000;
const NEWER: usize = 5_000;

fn name(n: usize) -> String {
    format!("key {n}")
}

/// The value of the n-th key.
fn newest(n: usize) -> Option<&'static [u8]> {
    match n {
        OLDER.. => None,
        NEWER.. => Some(b"older"),
        _ if n.is_multiple_of(5) => None,
        _ => Some(b"newer"),
    }
}

/// A shard in which a delta, too large to be checked at once, replaces the entries below `NEWER` and deletes
/// every fifth of them.
struct Specimen {
    _dir: tempfile::TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
    sidecar: Vec<u8>,
    seed: u64,
    table: Table,
}

impl Specimen {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let mut shard = open(&path);
        for (count, value) in [(OLDER, b"older"), (NEWER, b"newer")] {
            let fill = shard.merge_in(&Job::default(), |batch| {
                (0..count).try_for_each(|n| match newest(n) {
                    None if value == b"newer" => batch.delete(name(n).as_bytes()),
                    _ => batch.put(name(n).as_bytes(), &[value], PutMeta::default()),
                })
            });
            fill.unwrap();
        }
        shard.close();
        let bytes = std::fs::read(&path).unwrap();
        let header = Header::decode(&bytes[..4096], None).unwrap();
        let sealer = Sealer::new(header.check_seed(), Digest::Xxh3);
        let (at, _) = frames(&bytes).into_iter().rfind(|(_, head)| head.kind == SNAPSHOT).unwrap();
        let table = Table::read(&bytes[at..], at as u64, &sealer, bytes.len() as u64).unwrap();
        assert!(table.older != 0 && table.frame_len > CHECK_AT_ONCE && table.count == NEWER as u64);
        let sidecar = std::fs::read(lock_path(&path)).unwrap();
        Specimen { _dir: dir, path, bytes, sidecar, seed: header.seed, table }
    }

    fn open(&self) -> Shard {
        Shard::open_on(Faulty::unsynced(Disk::default()), &self.path, quiet()).unwrap()
    }

    fn hash(&self, n: usize) -> u64 {
        key::hash(name(n).as_bytes(), self.seed)
    }

    /// The bytes of a key's slots, and of its full hash, where that is or would be.
    fn places(&self, n: usize) -> (Range<usize>, Range<usize>) {
        let hash = self.hash(n);
        let probe = self.table.probe(hash);
        let from = self.table.hashes_at() as usize;
        let hashes = self.bytes[from..][..NEWER * 8].as_chunks::<8>().0;
        let at = hashes.partition_point(|it| u64::from_le_bytes(*it) < hash).min(NEWER - 1);
        let slots = probe.from as usize;
        (slots..slots + probe.len, from + at * 8..from + at * 8 + 8)
    }

    /// Changes a range of the delta, runs `look`, and restores the file.
    fn with<T>(&self, range: Range<usize>, change: impl Fn(&mut [u8]), look: impl FnOnce() -> T) -> T {
        let mut bytes = self.bytes[range.clone()].to_vec();
        change(&mut bytes);
        let file = std::fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all_at(&bytes, range.start as u64).unwrap();
        let told = look();
        // A handle that has found the damage has appended another index snapshot.
        file.set_len(self.bytes.len() as u64).unwrap();
        let delta = self.table.frame as usize..self.table.end() as usize;
        for range in [0..4096, delta] {
            file.write_all_at(&self.bytes[range.clone()], range.start as u64).unwrap();
        }
        std::fs::write(lock_path(&self.path), &self.sidecar).unwrap();
        told
    }

    /// Looks a key up in one of three ways, each time with a new handle, because a handle that finds damage
    /// repairs it.
    fn check(&self, n: usize, way: usize, what: &str) {
        let (mut shard, name) = (self.open(), name(n));
        match way % 3 {
            0 => assert_eq!(get(&mut shard, &name).as_deref(), newest(n), "{what}: {name}"),
            1 => assert_eq!(shard.knows(name.as_bytes()).unwrap(), newest(n).is_some(), "{what}: {name}"),
            _ => {
                if shard.get_quickly(name.as_bytes()) == Quick::Miss {
                    assert_eq!(newest(n), None, "{what}: {name}");
                }
                assert_eq!(get(&mut shard, &name).as_deref(), newest(n), "{what}: {name}");
            }
        }
    }
}

/// Keys that were replaced or deleted, keys that are not in the delta, and those with the lowest and highest hashes.
fn some(it: &Specimen) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..2 * OLDER).collect();
    numbers.sort_unstable_by_key(|n| it.hash(*n));
    let ends = numbers[..4].iter().chain(&numbers[numbers.len() - 4..]).copied();
    (0..12).map(|i| i * 401).chain([NEWER, OLDER - 1, OLDER, OLDER + 17]).chain(ends).collect()
}

#[test]
fn the_first_look_ups_do_without_the_check_and_later_ones_do_it() {
    let it = Specimen::new();
    let mut shard = it.open();
    // The era ends with each answer before the check, so that none is kept.
    let mut keeps = |n: usize| {
        let before = shard.era();
        assert_eq!(get(&mut shard, &name(n)).as_deref(), newest(n), "{n}");
        shard.era() == before
    };
    for n in some(&it).into_iter().chain((0..2 * OLDER).step_by(977)) {
        assert!(!keeps(n), "{n}");
    }
    for n in 0..LOOKUPS_UNCHECKED as usize {
        keeps(n);
    }
    assert!(keeps(1) && keeps(NEWER) && keeps(OLDER));
}

#[test]
fn a_damaged_byte_of_the_delta_does_not_uncover_an_older_entry() {
    let it = Specimen::new();
    for n in some(&it) {
        let (slots, hash) = it.places(n);
        for at in slots.chain(hash) {
            let flip = [1, 0x80, 0xFF][at / 3 % 3];
            let what = format!("byte {at} ^ {flip:#x}");
            it.with(at..at + 1, |byte| byte[0] ^= flip, || it.check(n, at, &what));
        }
    }
}

#[test]
fn lost_pages_of_the_delta_do_not_uncover_older_entries() {
    let it = Specimen::new();
    let (from, end) = (it.table.frame as usize, it.table.end() as usize);
    let (body, hashes) = (from + HEAD_LEN + RAW_LEN, it.table.hashes_at() as usize);
    for (way, n) in some(&it).into_iter().enumerate() {
        let (slots, hash) = it.places(n);
        let mut lost = vec![body..hashes, hashes..end, body..end];
        for (at, len) in [(slots.start, 4096), (hash.start, 4096), (hash.start, 16)] {
            lost.push((at - len / 2).max(body)..(at + len / 2).min(end));
        }
        for lost in lost {
            for fill in [0, 0xFF] {
                let what = format!("{lost:?} are {fill:#x}");
                it.with(lost.clone(), |bytes| bytes.fill(fill), || it.check(n, way, &what));
            }
        }
    }
}

#[test]
fn damage_elsewhere_in_the_delta_is_found_before_any_other_call() {
    let it = Specimen::new();
    let (slots, _) = it.places(1);
    let damage = |look: &mut dyn FnMut(&mut Shard)| {
        it.with(
            slots.clone(),
            |bytes| bytes.fill(0),
            || {
                let mut shard = it.open();
                assert_eq!(get(&mut shard, &name(2)).as_deref(), newest(2));
                look(&mut shard);
                for n in 0..OLDER + 9 {
                    assert_eq!(get(&mut shard, &name(n)).as_deref(), newest(n), "{n}");
                }
            },
        );
    };
    damage(&mut |_| {});
    damage(&mut |shard| put(shard, "another", b"value"));
    damage(&mut |shard| {
        assert!(
            shard.delete(name(1).as_bytes()).unwrap()
                && shard.put(name(1).as_bytes(), &[b"newer"], PutMeta::default()).is_ok()
        )
    });
    damage(&mut |shard| {
        assert_eq!(shard.list().unwrap().len(), (0..OLDER).filter(|n| newest(*n).is_some()).count())
    });
    damage(&mut |shard| assert!(shard.compact(&Job::default()).is_ok()));
    damage(&mut |_| put(&mut it.open(), "another", b"value"));
}

#[test]
fn what_others_publish_before_the_check_is_seen() {
    let it = Specimen::new();
    let mut shard = it.open();
    assert_eq!(get(&mut shard, &name(2)).as_deref(), newest(2));
    let mut other = it.open();
    put(&mut other, &name(3), b"newest");
    assert_eq!(get(&mut shard, &name(3)).unwrap(), b"newest");
    assert!(other.delete(name(4).as_bytes()).unwrap());
    assert_eq!(get(&mut shard, &name(4)), None);
    assert_eq!(get(&mut shard, &name(2)).as_deref(), newest(2));
}
