//! One bad byte in the index, and everything was compiled again.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::{frames, lock_path, open as open_shard, quiet, read_only};
use std::path::{Path, PathBuf};
use warmshard_core::Options;
use warmshard_core::frame::RECORD;
use warmshard_core::kind::Kind;
use warmshard_core::stores::artifact::{ArtifactStore, Recovered};

const KEYS: [(&str, usize, bool); 4] =
    [("flat", 2, false), ("pack", 3, true), ("none", 0, true), ("odd/key", 1, false)];

/// A store of four artifacts, and its index.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    for (round, (key, count, pack)) in KEYS.into_iter().enumerate() {
        add(&mut store, key, round as u64, count, pack);
    }
    store.close();
    let index = dir.path().join("index.shard");
    (dir, index)
}

fn is_whole(store: &mut ArtifactStore) -> bool {
    KEYS.iter().enumerate().all(|(round, (key, count, _))| has(store, key, round as u64, *count))
        && all(store).len() == KEYS.len()
}

/// Opens a store whose index was damaged, first read-only and then for writing, and checks that all artifacts
/// are there.
fn rebuilt(dir: &Path, what: &str) -> Recovered {
    assert!(is_whole(&mut store_with(dir, read_only())), "{what}, read-only");
    let mut first = store(dir);
    assert!(is_whole(&mut first), "{what}: {:?}", first.recovered());
    // The rebuilt rows were committed at once, without a flush by the host.
    let mut second = store(dir);
    assert_eq!(*second.recovered(), Recovered::default(), "{what}");
    assert!(is_whole(&mut second), "{what}, again");
    let found = first.recovered().clone();
    assert_eq!((&found.failed, found.swept, found.dropped), (&None, 0, 0), "{what}");
    found
}

#[test]
fn a_missing_index_is_rebuilt() {
    let (dir, index) = filled();
    for with_sidecar in [false, true] {
        std::fs::remove_file(&index).unwrap();
        if with_sidecar {
            std::fs::remove_file(lock_path(&index)).unwrap();
        }
        let found = rebuilt(dir.path(), "missing");
        assert_eq!((found.rejected, found.rows), (None, 4));
    }
}

#[test]
fn an_index_with_any_damaged_header_byte_is_rebuilt() {
    let (dir, index) = filled();
    let good = std::fs::read(&index).unwrap();
    for at in 0..256 {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        std::fs::write(&index, &bad).unwrap();
        let _ = std::fs::remove_file(lock_path(&index));
        let found = rebuilt(dir.path(), &format!("byte {at}"));
        assert!(found.rejected.is_some() && found.rows == 4, "byte {at}: {found:?}");
    }
}

#[test]
fn a_truncated_index_is_rebuilt_and_reported() {
    let (dir, index) = filled();
    let good = std::fs::read(&index).unwrap();
    let lens = (0..good.len()).step_by(61).chain([255, 256, 4095, 4096, good.len() - 1]);
    for len in lens {
        for with_sidecar in [false, true] {
            let good = std::fs::read(&index).unwrap();
            let len = len.min(good.len() - 1);
            std::fs::write(&index, &good[..len]).unwrap();
            if !with_sidecar {
                std::fs::remove_file(lock_path(&index)).unwrap();
            }
            let found = rebuilt(dir.path(), &format!("cut to {len}"));
            if good.len() - len < 16 && found.rows == 0 {
                // Only padding was cut off.
                continue;
            }
            let why = found.rejected.unwrap();
            assert!(why.starts_with(if len == 0 { "" } else { "truncated" }), "cut to {len}: {why}");
        }
    }
}

#[test]
fn a_foreign_file_in_place_of_the_index_is_replaced() {
    let (dir, index) = filled();
    std::fs::write(&index, b"#!/bin/sh\necho this is something else\n".repeat(200)).unwrap();
    assert!(rebuilt(dir.path(), "foreign").rejected.unwrap().starts_with("foreign"));
    // A shard of another kind.
    std::fs::remove_file(&index).unwrap();
    common::put(&mut open_shard(&index), "flat", b"a plain shard's");
    assert!(rebuilt(dir.path(), "kind").rejected.unwrap().starts_with("kind"));
    // Zeros, as after a power cut.
    std::fs::write(&index, vec![0; 9000]).unwrap();
    assert!(rebuilt(dir.path(), "zeros").rejected.is_some());
}

#[test]
fn the_index_of_another_folder_brings_no_rows_along() {
    let (dir, index) = filled();
    let other = tempfile::tempdir().unwrap();
    let mut elsewhere = store(other.path());
    add(&mut elsewhere, "flat", 7, 1, false);
    add(&mut elsewhere, "elsewhere", 7, 1, false);
    elsewhere.close();
    std::fs::copy(other.path().join("index.shard"), &index).unwrap();
    let mut store = store(dir.path());
    assert!(is_whole(&mut store), "{:?}", store.recovered());
    assert_eq!((store.recovered().rows, store.recovered().dropped), (4, 1));
}

#[test]
fn a_single_damaged_row_is_rebuilt_when_it_is_asked_for() {
    for (n, (key, count, _)) in KEYS.into_iter().enumerate() {
        let (dir, index) = filled();
        let mut bytes = std::fs::read(&index).unwrap();
        let records: Vec<_> = frames(&bytes).into_iter().filter(|(_, head)| head.kind == RECORD).collect();
        let (at, head) = records
            .into_iter()
            .find(|(at, head)| {
                bytes[at + 80..].starts_with(key.as_bytes()) && head.key_len.get() as usize == key.len()
            })
            .unwrap();
        // In the row itself, which only its digest covers.
        bytes[at + head.length.get() as usize - 40] ^= 1;
        std::fs::write(&index, &bytes).unwrap();
        for store in [&mut store_with(dir.path(), read_only()), &mut store(dir.path())] {
            assert_eq!(store.recovered().rows, 0);
            assert!(has(store, key, n as u64, count), "{key}");
            assert_eq!(store.recovered().rows, 1);
            assert!(is_whole(store));
        }
        let mut first = store(dir.path());
        assert_eq!(first.get(key).unwrap(), Some(meta(key, n as u64, count)));
        first.flush().unwrap();
        let mut second = store(dir.path());
        assert!(is_whole(&mut second) && second.recovered().rows == 0);
        // A damaged row that was not asked for before can be removed, too.
        std::fs::write(&index, &bytes).unwrap();
        let mut third = store(dir.path());
        assert!(third.remove(key).unwrap(), "{key}");
        third.close();
        assert_eq!(store(dir.path()).get(key).unwrap(), None, "{key}");
    }
}

#[test]
fn a_store_copied_elsewhere_is_whole() {
    let (dir, _) = filled();
    let other = tempfile::tempdir().unwrap();
    for name in files(dir.path()).iter().filter(|name| !name.starts_with(".tmp") && !name.ends_with(".lock"))
    {
        std::fs::copy(dir.path().join(name), other.path().join(name)).unwrap();
    }
    let mut copy = store(other.path());
    assert!(is_whole(&mut copy));
    assert_eq!(*copy.recovered(), Recovered::default());
}

#[test]
fn payloads_of_another_host_build_stay_and_are_never_served() {
    let (dir, index) = filled();
    std::fs::remove_file(&index).unwrap();
    let newer = |name: &str| Options { kind: Kind::Artifact, ..common::by(name) };
    let mut other = store_with(dir.path(), newer("other"));
    assert!(all(&mut other).is_empty() && other.recovered().swept == 0);
    assert_eq!((other.get("flat").unwrap(), read(&mut other, "flat", 0)), (None, None));
    add(&mut other, "pack", 9, 1, true);
    assert!(!other.remove("flat").unwrap());
    other.close();
    let mut own = store(dir.path());
    for (round, (key, count, _)) in KEYS.into_iter().enumerate().filter(|(_, (key, ..))| *key != "pack") {
        assert!(has(&mut own, key, round as u64, count), "{key}");
    }
    assert_eq!((own.get("pack").unwrap(), read(&mut own, "pack", 0)), (None, None));
    assert!(has(&mut store_with(dir.path(), newer("other")), "pack", 9, 1));
    // A host that cannot be identified is served nothing, and loses nothing.
    let gone = warmshard_core::Producer::new("x", "1", Some(Path::new("/no/such/binary")), &[String::new()])
        .unwrap();
    let nobody = Options { producer: std::sync::Arc::new(gone), ..quiet() };
    let before = files(dir.path());
    std::fs::remove_file(dir.path().join(".tmp/state")).unwrap();
    let mut nobody = store_with(dir.path(), nobody);
    assert!(all(&mut nobody).is_empty());
    nobody.insert("x", meta("x", 1, 0)).unwrap();
    put(&mut nobody, "x", &outputs("x", 1, 1), false);
    assert_eq!(nobody.clear().unwrap(), 0);
    nobody.close();
    assert_eq!(files(dir.path()).len(), before.len() - 1);
}
