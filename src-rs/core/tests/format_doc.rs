//! A reader was written as documented, and it read nonsense: a field had moved.

mod common;
use common::document::{Document, number};
use common::*;
use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};
use warmshard_core::frame::{self, Head, Sealer};
use warmshard_core::header::{Header, ROOT_OFFSETS, Root};
use warmshard_core::index::group::Group;
use warmshard_core::index::snapshot::{About, encode};
use warmshard_core::index::{Entry, Place};
use warmshard_core::{Digest, Job, limits};
use xxhash_rust::xxh3::xxh3_64_with_seed as xxh3;

const DOCUMENT: Document = Document("format.md");

#[test]
fn the_header_is_as_documented() {
    let f = DOCUMENT.fields("header", 256);
    let header = Header::new(Digest::Blake3, 77).unwrap();
    let block = header.encode("node", "24.1");
    assert_eq!(block.len() as u64, limits::HEADER_LEN);
    let slice = |name: &str| &block[f[name].0..f[name].0 + f[name].1];
    assert_eq!(slice("magic"), b"WARMSHRD");
    assert_eq!(number(&block, f["version"]), u64::from(limits::FORMAT_VERSION));
    assert_eq!(number(&block, f["endian"]), 0x0102_0304);
    assert_eq!(number(&block, f["pointer_width"]), size_of::<usize>() as u64);
    assert_eq!(number(&block, f["digest"]), 1);
    assert_eq!(number(&block, f["header_len"]), limits::HEADER_LEN);
    assert_eq!(slice("shard_id"), header.shard_id);
    assert_eq!(number(&block, f["seed"]), header.seed);
    assert_eq!(number(&block, f["created_ms"]), header.created_ms);
    assert_eq!(number(&block, f["generation"]), 77);
    assert_eq!(slice("kind"), b"shard\0\0\0\0\0\0\0\0\0\0\0");
    assert!(
        slice("host_name").starts_with(b"\x04node\0") && slice("host_version").starts_with(b"\x0424.1\0")
    );
    assert_eq!(slice("key_check"), [0; 32]);
    assert_eq!(number(&block, f["checksum"]), xxh3(&block[..248], 0));
    assert_eq!(header.check_seed(), xxh3(&header.shard_id, 0));
    let keyed = Header::new(Digest::keyed(&[9; 32]).unwrap(), 0).unwrap();
    let block = keyed.encode("", "");
    let check = blake3::keyed_hash(&[9; 32], &keyed.shard_id);
    assert_eq!(&block[f["key_check"].0..][..32], check.as_bytes());
}

#[test]
fn the_root_slots_are_as_documented() {
    let f = DOCUMENT.fields("root", 40);
    assert_eq!(ROOT_OFFSETS, [512, 1024]);
    let root = Root { sequence: 4, generation: 5, committed: 6, snapshot: 7 };
    let slot = root.encode(99);
    assert_eq!((root.offset(), slot.len()), (512, 40));
    let values = ["sequence", "generation", "committed", "snapshot"].map(|n| number(&slot, f[n]));
    assert_eq!(values, [4, 5, 6, 7]);
    assert_eq!(number(&slot, f["checksum"]), xxh3(&slot[..32], 99));
}

#[test]
fn the_frame_head_is_as_documented() {
    let f = DOCUMENT.fields("head", frame::HEAD_LEN);
    macro_rules! check {
        ($($name:ident),*) => {{
            let names = [$((stringify!($name), offset_of!(Head, $name))),*];
            assert_eq!(names.len(), f.len());
            for (name, offset) in names {
                assert_eq!(f[name].0, offset, "{name}");
            }
        }};
    }
    check!(
        check,
        generation,
        key_hash,
        length,
        digest,
        kind,
        flags,
        reserved,
        producer,
        expires_ms,
        cached_ns,
        key_len,
        part_count,
        validator_kind,
        validator_len,
        name_len,
        version_len,
        reserved2
    );
    assert_eq!(f["producer"].0, frame::BOUND_FROM);
    let kinds = [frame::RECORD, frame::TOMBSTONE, frame::COMMIT, frame::SNAPSHOT, frame::IN_BATCH];
    assert_eq!(kinds, [1, 2, 3, 4, 1]);
}

/// Reads a record by the document alone.
#[test]
fn a_record_is_as_documented() {
    let f = DOCUMENT.fields("head", 80);
    for digest in [Digest::Xxh3, Digest::Blake3, Digest::keyed(&[9; 32]).unwrap()] {
        let sealer = Sealer::new(5, digest);
        let mut out = Vec::new();
        let parts: [&[u8]; 3] = [b"first part", b"", b"third"];
        let fields = frame::RecordFields {
            key: b"some key",
            key_hash: 11,
            producer: 12,
            name: "node",
            version: "24",
            validator_kind: 4,
            validator: b"val",
            parts: &parts,
            expires_ms: 13,
            cached_ns: 14,
        };
        sealer.record(&mut out, 8192, 15, 0, &fields);
        assert_eq!(number(&out, f["check"]), xxh3(&out[8..80], 5 + 8192));
        assert_eq!(number(&out, f["length"]), out.len() as u64);
        let numbers = ["generation", "key_hash", "kind", "producer", "expires_ms", "cached_ns"]
            .map(|n| number(&out, f[n]));
        assert_eq!(numbers, [15, 11, 1, 12, 13, 14]);
        let len = |name: &str| number(&out, f[name]) as usize;
        let mut at = 80;
        let mut take = |n: usize| {
            at += n;
            &out[at - n..at]
        };
        assert_eq!(take(len("key_len")), b"some key");
        assert_eq!(take(len("validator_len")), b"val");
        let lens: Vec<usize> = take(4 * len("part_count"))
            .chunks(4)
            .map(|c| u32::from_le_bytes(c.try_into().unwrap()) as usize)
            .collect();
        for (n, part) in lens.iter().zip(parts) {
            at = at.next_multiple_of(16);
            assert_eq!(&out[at..at + n], part);
            at += n;
        }
        assert_eq!(&out[at..at + 6], b"node24");
        let narrow = number(&out, f["digest"]);
        let mut bound = 5u64.to_le_bytes().to_vec();
        bound.extend_from_slice(&out[48..out.len() - 32]);
        match &sealer.digest {
            Digest::Xxh3 => assert_eq!(narrow, xxh3(&out[48..], 5)),
            Digest::Blake3 => assert_eq!(blake3::hash(&bound).as_bytes(), &out[out.len() - 32..]),
            Digest::Keyed(key) => {
                assert_eq!(blake3::keyed_hash(key, &bound).as_bytes(), &out[out.len() - 32..])
            }
        }
        out.clear();
        sealer.commit(&mut out, 8192, 15, 4096, 3);
        assert_eq!((out.len(), number(&out, f["producer"]), number(&out, f["key_hash"])), (128, 4096, 3));
    }
}

#[test]
fn an_index_snapshot_is_as_documented() {
    let head = DOCUMENT.fields("head", 80);
    let f = DOCUMENT.fields("snapshot", frame::TABLE_LEN);
    let bits: Vec<u32> = DOCUMENT.table("slot").iter().map(|r| r[0].parse().unwrap()).collect();
    assert_eq!(bits, [40, 1, 15]);
    let sealer = Sealer::new(5, Digest::Xxh3);
    let entries: Vec<Entry> = (0..500u64)
        .map(|i| Entry { hash: i * (u64::MAX / 500) + i, place: Place::new(4096 + i * 16, i % 5 == 0) })
        .collect();
    let about = About { offset: 1 << 20, older: 4096, generation: 1, live_entries: 21, live_bytes: 22 };
    let mut out = Vec::new();
    encode(&mut out, &sealer, &about, &entries);
    let body = &out[80..];
    let value = |name: &str| number(body, f[name]);
    assert_eq!((value("older"), value("count")), (4096, 500));
    assert_eq!((value("live_entries"), value("live_bytes")), (21, 22));
    assert_eq!(number(&out, head["digest"]), xxh3(body, 5));
    assert_eq!(number(&out, head["key_hash"]), xxh3(&body[..64], 5));
    let groups = &out[value("slots_from") as usize..];
    let hashes = &groups[64 * value("groups") as usize..];
    assert_eq!((about.offset + value("slots_from")) % 64, 0);
    let word = |group: u64, slot: usize| {
        let word = &groups[64 * group as usize + 8 + 7 * slot..][..7];
        word.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    for (n, entry) in entries.iter().enumerate() {
        assert_eq!(number(hashes, (8 * n, 8)), entry.hash);
        let home = ((u128::from(entry.hash) * u128::from(value("homes"))) >> 64) as u64;
        let mut open = true;
        let mut looked = (home..value("groups").min(home + value("max_probe")))
            .take_while(|group| std::mem::replace(&mut open, word(*group, 7) != 0));
        let (group, slot) = looked
            .find_map(|group| {
                let slot = (0..8).find(|slot| {
                    let word = word(group, *slot);
                    let place = word & ((1 << 41) - 1);
                    let tag = (entry.hash >> 8 ^ place ^ (place >> 15) ^ (place >> 30)) & 0x7FFF;
                    groups[64 * group as usize + slot] == entry.hash as u8 && word != 0 && word >> 41 == tag
                });
                Some((group, slot?))
            })
            .unwrap();
        let found = word(group, slot);
        assert_eq!((found & ((1 << 40) - 1)) * 16, entry.place.offset());
        assert_eq!(found >> 40 & 1 == 1, entry.place.is_tombstone());
        let ours = Group::all(&groups[64 * group as usize..]).next().unwrap().candidates(entry.hash).next();
        assert_eq!(ours, Some(entry.place));
    }
}

#[test]
fn the_sidecar_is_as_documented() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    shard.replace_all(&Job::default(), |b| b.put(b"k", &[b"1"], Default::default())).unwrap();
    put(&mut shard, "l", b"1");
    get(&mut shard, "k").unwrap();
    let bytes = std::fs::read(lock_path(&path)).unwrap();
    let words: BTreeMap<String, usize> =
        DOCUMENT.table("sidecar").iter().map(|r| (r[1].clone(), r[0].parse().unwrap())).collect();
    let word = |name: &str| number(&bytes, (words[name] * 8, 8));
    let stats = shard.stats();
    let block = std::fs::read(&path).unwrap();
    let header = Header::decode(&block, None).unwrap();
    assert_eq!(&bytes[..8], b"WARMLOCK");
    assert_eq!((word("version"), word("boot")), (1, warmshard_core::clock::boot_id()));
    assert_eq!(bytes[words["shard_id"] * 8..][..16], header.shard_id);
    assert_eq!((word("generation"), word("committed")), (stats.generation, block.len() as u64));
    assert_eq!((word("live_entries"), word("live_bytes")), (stats.entries, stats.live_bytes));
    let first = frames(&block).iter().find(|(_, h)| h.kind == frame::SNAPSHOT).unwrap().0;
    assert_eq!(word("snapshot"), first as u64);
    assert_eq!((word("epoch") % 2, word("appended"), word("durable_appended")), (0, 1, 0));
    assert_eq!(word("durable"), number(&block, (512 + 512 + 16, 8)), "the first root goes to slot 1");
    assert_eq!((word("sync_failed"), word("dir_pending"), word("turn")), (0, 0, 0));
    let hash = xxh3(b"k", header.seed);
    let at = 4096 + 4 * (hash >> (64 - word("recency_bits"))) as usize;
    let tick = u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
    let used = word("recency_base") + (tick - 1) * limits::RECENCY_TICK_MS;
    assert_eq!(shard.info(b"k").unwrap().unwrap().last_used_ms, used);
    assert_eq!(bytes.len(), 4096 + (4 << word("recency_bits")));
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
        FORMAT_VERSION,
        HEADER_LEN,
        ALIGN,
        MIN_FRAME_LEN,
        MAX_RECORD_LEN,
        MAX_GAP,
        MAX_ENTRY_BYTES,
        MAX_FILE_LEN,
        MAX_GENERATION,
        MAX_PAGE_GENERATION,
        MAX_KEY_BYTES,
        MAX_PARTS,
        CHECK_AT_ONCE,
        LOOKUPS_UNCHECKED,
        MAX_VALIDATOR_BYTES,
        MAX_HOST_BYTES,
        MAX_TABLES,
        TAIL_ENTRIES,
        TAIL_BYTES,
        MERGE_FACTOR,
        RECENCY_TICK_MS
    );
    assert!(rows.is_empty(), "unchecked: {rows:?}");
    assert_eq!(limits::RECENCY_BITS, 12..=20);
}
