//! A tool was written to read the cache folder as documented, and it read nonsense.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod common;
use common::artifacts::*;
use common::document::{Document, number};
use common::quiet;
use std::collections::BTreeMap;
use std::path::Path;
use warmshard_core::kind::Kind;
use warmshard_core::stores::artifact::{Meta, Row, Stream, names};
use warmshard_core::{Options, Shard, limits};

const DOCUMENT: Document = Document("artifacts.md");

fn options() -> Options {
    Options { kind: Kind::Artifact, ..quiet() }
}

fn set_of(outputs: &[Vec<u8>]) -> [u8; 16] {
    let lens_and_digests: Vec<u8> = outputs
        .iter()
        .flat_map(|o| [&(o.len() as u64).to_le_bytes()[..], blake3::hash(o).as_bytes()].concat())
        .collect();
    blake3::hash(&lens_and_digests).as_bytes()[..16].try_into().unwrap()
}

/// Reads a payload file by the document alone. Returns its outputs and the rows in its row blocks.
fn read_payload(path: &Path, key: &str, part: u32, all: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (f, e) = (DOCUMENT.fields("head", 64), DOCUMENT.fields("entry", 48));
    let bytes = std::fs::read(path).unwrap();
    let head = |name: &str| number(&bytes, f[name]);
    assert_eq!(&bytes[..8], b"WARMPAYL");
    assert_eq!((head("version"), head("part"), head("reserved")), (1, u64::from(part), 0));
    assert_eq!((head("count"), head("key_len")), (all.len() as u64, key.len() as u64));
    assert_eq!(head("producer"), quiet().producer.id().unwrap());
    assert_eq!(&bytes[f["set"].0..][..16], set_of(all));
    assert_eq!(&bytes[64..64 + key.len()], key.as_bytes());
    let entries = if part == u32::MAX { all.len() } else { 1 };
    let table = 64 + key.len();
    let front = table + 48 * entries;
    assert_eq!(&bytes[front..front + 32], blake3::hash(&bytes[..front]).as_bytes());
    let mut at = front + 32;
    let mut outputs = Vec::new();
    for n in 0..entries {
        let entry = &bytes[table + 48 * n..][..48];
        let (offset, len) = (number(entry, e["offset"]) as usize, number(entry, e["len"]) as usize);
        at = at.next_multiple_of(16);
        assert_eq!(offset, at);
        at += len;
        outputs.push(bytes[offset..at].to_vec());
        assert_eq!(&entry[e["digest"].0..], blake3::hash(&bytes[offset..at]).as_bytes());
    }
    assert_eq!(head("body_end") as usize, at.next_multiple_of(16));
    let mut rest = &bytes[head("body_end") as usize..];
    let mut rows = Vec::new();
    while !rest.is_empty() {
        assert_eq!(&rest[..4], b"ROWB");
        let len = number(rest, (4, 4)) as usize;
        let row = &rest[8..8 + len];
        let bound = [&(key.len() as u64).to_le_bytes()[..], key.as_bytes(), row].concat();
        assert_eq!(&rest[8 + len..8 + len + 32], blake3::hash(&bound).as_bytes());
        rows.push(row.to_vec());
        rest = &rest[8 + len + 32..];
    }
    (outputs, rows)
}

#[test]
fn payloads_are_as_documented() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let key = "some/key";
    let stem = format!("~{}", blake3::hash(key.as_bytes()).to_hex());
    assert_eq!(names::stem(key), stem);
    let given = vec![b"first output".to_vec(), Vec::new(), b"third".to_vec()];
    store.insert(key, meta(key, 1, 3)).unwrap();
    put(&mut store, key, &given, true);
    store.insert(key, meta(key, 2, 3)).unwrap();
    store.flush().unwrap();
    let (found, rows) = read_payload(&dir.path().join(format!("{stem}.pack")), key, u32::MAX, &given);
    assert_eq!((found, rows), (given.clone(), vec![meta(key, 1, 3).encode(), meta(key, 2, 3).encode()]));
    put(&mut store, "plain-key_0.o", &given, false);
    store.insert("plain-key_0.o", meta(key, 3, 3)).unwrap();
    store.flush().unwrap();
    for (n, output) in given.iter().enumerate() {
        let path = dir.path().join(format!("plain-key_0.o_{n}"));
        let (found, rows) = read_payload(&path, "plain-key_0.o", n as u32, &given);
        assert_eq!(found, std::slice::from_ref(output));
        assert_eq!(rows, if n == 0 { vec![meta(key, 3, 3).encode()] } else { Vec::new() });
    }
    put(&mut store, "none", &[], false);
    assert_eq!(read_payload(&dir.path().join("none.pack"), "none", u32::MAX, &[]), (Vec::new(), Vec::new()));
}

#[test]
fn rows_are_as_documented() {
    let tags: BTreeMap<String, u8> =
        DOCUMENT.table("tags").iter().map(|row| (row[1].clone(), row[0].parse().unwrap())).collect();
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let given = vec![b"12345".to_vec(), b"1".to_vec()];
    let said = Meta {
        output_names: vec!["a.o".into(), "b.o".into()],
        output_sizes: vec![5, 1],
        stdout: Stream::Text("done".into()),
        stderr: Stream::Bytes(vec![0xff]),
        exit_code: -2,
        total_size: 6,
        stored_ns: 77,
    };
    put(&mut store, "k", &given, true);
    store.insert("k", said.clone()).unwrap();
    store.flush().unwrap();
    let mut index = Shard::open(&dir.path().join("index.shard"), options()).unwrap();
    let row = index.read_quietly(b"k").unwrap().unwrap();
    let mut rest = row.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let len = number(rest, (1, 4)) as usize;
        found.push((rest[0], rest[5..5 + len].to_vec()));
        rest = &rest[5 + len..];
    }
    let output = |size: u64, name: &str| [&size.to_le_bytes()[..], name.as_bytes()].concat();
    let payload = [&set_of(&given)[..], &[1], &2u32.to_le_bytes(), &6u64.to_le_bytes()].concat();
    let expected = vec![
        (tags["output"], output(5, "a.o")),
        (tags["output"], output(1, "b.o")),
        (tags["stdout_text"], b"done".to_vec()),
        (tags["stderr_bytes"], vec![0xff]),
        (tags["exit_code"], (-2i32).to_le_bytes().to_vec()),
        (tags["total_size"], 6u64.to_le_bytes().to_vec()),
        (tags["stored_ns"], 77u64.to_le_bytes().to_vec()),
        (tags["payload"], payload),
    ];
    assert_eq!(found, expected);
    let other =
        |tag: &str, value: &[u8]| [&[tags[tag]][..], &(value.len() as u32).to_le_bytes(), value].concat();
    let read = Row::decode(&[other("stdout_bytes", b"\xfe"), other("stderr_text", b"ok")].concat());
    let read = read.unwrap().meta.unwrap();
    assert_eq!((read.stdout, read.stderr), (Stream::Bytes(vec![0xfe]), Stream::Text("ok".into())));
    assert_eq!(tags.len(), 9);
}

#[test]
fn the_note_is_as_documented() {
    let f = DOCUMENT.fields("note", 40);
    let dir = tempfile::tempdir().unwrap();
    flushed(dir.path(), "k", 1, 1, true);
    let note = std::fs::read(dir.path().join(".tmp/state")).unwrap();
    let index = std::fs::read(dir.path().join("index.shard")).unwrap();
    assert_eq!(number(&note, f["boot"]), warmshard_core::clock::boot_id());
    assert_eq!(note[f["index"].0..][..16], index[24..40]);
    assert_eq!((number(&note, f["end"]), note.len()), (index.len() as u64, 40));
    assert_eq!(index[64..80], *b"artifact\0\0\0\0\0\0\0\0");
}

#[test]
fn the_limits_are_as_documented() {
    let mut rows: BTreeMap<String, u64> =
        DOCUMENT.table("limits").iter().map(|r| (r[0].clone(), r[1].parse().unwrap())).collect();
    macro_rules! check {
        ($($name:ident),*) => {$(
            assert_eq!(rows.remove(stringify!($name)), Some(limits::$name as u64), stringify!($name));
        )*};
    }
    check!(
        MAX_OUTPUTS,
        MAX_ENTRY_BYTES,
        DEFAULT_MAX_ENTRY_BYTES,
        MAX_ROW_BLOCKS_BYTES,
        MAX_KEY_BYTES,
        MAP_BLOB_BYTES,
        DEFAULT_ARTIFACT_BYTES,
        MAX_EXACT_USES
    );
    assert!(rows.is_empty(), "unchecked: {rows:?}");
}
