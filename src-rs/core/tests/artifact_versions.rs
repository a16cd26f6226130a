//! After an upgrade the store was read by a build that had other fields.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::quiet;
use std::path::Path;
use warmshard_core::kind::Kind;
use warmshard_core::stores::artifact::Stream;
use warmshard_core::{Options, PutMeta, Shard};

fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag][..], &(value.len() as u32).to_le_bytes(), value].concat()
}

/// Puts a row into the index that another version could have encoded.
fn plant(dir: &Path, key: &str, row: &[u8]) {
    let options = Options { kind: Kind::Artifact, ..quiet() };
    let mut shard = Shard::open(&dir.join("index.shard"), options).unwrap();
    shard.put(key.as_bytes(), &[row], PutMeta::default()).unwrap();
}

fn row_of(dir: &Path, key: &str) -> Vec<u8> {
    let options = Options { kind: Kind::Artifact, ..quiet() };
    Shard::open(&dir.join("index.shard"), options).unwrap().read_quietly(key.as_bytes()).unwrap().unwrap()
}

#[test]
fn rows_with_fewer_and_with_more_fields_are_read() {
    let dir = tempfile::tempdir().unwrap();
    flushed(dir.path(), "k", 1, 2, true);
    let row = row_of(dir.path(), "k");
    // Older: names, sizes and exit code.
    let output = [&7u64.to_le_bytes()[..], b"a.o"].concat();
    plant(dir.path(), "older", &[field(1, &output), field(6, &3i32.to_le_bytes())].concat());
    // Newer: unknown fields before and after the known ones.
    let known = row_of(dir.path(), "k");
    let newer = [field(99, b"?"), known.clone(), field(255, &[0; 300]), field(100, b"")].concat();
    plant(dir.path(), "k", &newer);
    let mut store = store(dir.path());
    let older = store.get("older").unwrap().unwrap();
    assert_eq!((older.output_names, older.output_sizes, older.exit_code), (vec!["a.o".into()], vec![7], 3));
    assert_eq!((older.stdout, older.total_size, older.stored_ns), (Stream::default(), 0, 0));
    assert!(has(&mut store, "k", 1, 2));
    assert_eq!(store.totals().unwrap(), (2, 101));
    // A row without a time counts as the oldest.
    assert_eq!(store.evict_to(100).unwrap(), 2);
    assert_eq!(row, known);
}

#[test]
fn rows_that_cannot_be_decoded_are_rebuilt_or_missing() {
    let dir = tempfile::tempdir().unwrap();
    flushed(dir.path(), "k", 1, 2, true);
    let good = row_of(dir.path(), "k");
    for bad in [&b""[..], b"\x09", &[0xff; 40], &good[..good.len() - 1], &[field(1, b"short")].concat()] {
        plant(dir.path(), "k", bad);
        plant(dir.path(), "no files", bad);
        let mut store = store(dir.path());
        assert_eq!(store.get("no files").unwrap(), None);
        assert!(has(&mut store, "k", 1, 2));
        assert_eq!(all(&mut store).len(), 1);
        store.close();
        assert!(has(&mut self::store(dir.path()), "k", 1, 2));
        assert_eq!(row_of(dir.path(), "k"), good);
    }
}

#[test]
fn a_payload_of_another_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    flushed(dir.path(), "k", 1, 1, true);
    let path = dir.path().join("k.pack");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.splice(8..12, 2u32.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(read(&mut store(dir.path()), "k", 0), None);
    std::fs::remove_file(dir.path().join("index.shard")).unwrap();
    let mut older = store(dir.path());
    assert_eq!((older.get("k").unwrap(), read(&mut older, "k", 0)), (None, None));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    add(&mut older, "k", 2, 1, false);
    older.close();
    assert!(has(&mut store(dir.path()), "k", 2, 1));
}
