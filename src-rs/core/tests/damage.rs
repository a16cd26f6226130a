//! One byte on the disk had changed, and the host executed what it read.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod common;
use common::faulty::Faulty;
use common::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use warmshard_core::frame::{COMMIT, RECORD, SNAPSHOT, TOMBSTONE};
use warmshard_core::header::{Header, Root};
use warmshard_core::storage::disk::Disk;
use warmshard_core::{Job, Options, Shard};

type Model = BTreeMap<String, Vec<Vec<u8>>>;

/// Makes a small shard with every kind of frame. Returns for each key all values that it ever had.
fn build(path: &Path, flush: bool) -> Model {
    let mut model = Model::new();
    let mut shard = open(path);
    let mut note = |k: &str, v: &[u8]| model.entry(k.into()).or_default().push(v.to_vec());
    for i in 0..4u64 {
        let (k, v) = (format!("first {i}"), telling(&format!("first {i}"), i, 50));
        put(&mut shard, &k, &v);
        note(&k, &v);
    }
    put(&mut shard, "gone", b"gone");
    assert!(shard.delete(b"gone").unwrap());
    let batch: Vec<(String, Vec<u8>)> =
        (0..3u64).map(|i| (format!("batch {i}"), telling(&format!("batch {i}"), i, 40))).collect();
    let refs: Vec<(&str, &[u8])> = batch.iter().map(|(k, v)| (k.as_str(), v.as_slice())).collect();
    merge(&mut shard, &refs);
    batch.iter().for_each(|(k, v)| note(k, v));
    // Enough entries that `close` writes an index snapshot; then a tail.
    for i in 0..60u64 {
        let (k, v) = (format!("n{i}"), telling(&format!("n{i}"), i, 1));
        put(&mut shard, &k, &v);
        note(&k, &v);
    }
    shard.close();
    let mut shard = open(path);
    assert_eq!(shard.stats().index_snapshots, 1);
    for i in 0..3u64 {
        let (k, v) = (format!("last {i}"), telling(&format!("last {i}"), i, 30));
        put(&mut shard, &k, &v);
        note(&k, &v);
    }
    if flush {
        shard.flush().unwrap();
    }
    model
}

/// Opens a damaged shard and checks that it gives no wrong bytes and still works. Returns the keys that were lost.
fn check(path: &Path, model: &Model, options: &Options, what: &str) -> Vec<String> {
    // Without real syncs: each recovery syncs after it has cut off bytes, and there are very many here.
    let open = || Shard::open_on(Faulty::unsynced(Disk::default()), path, options.clone());
    let mut shard = open().unwrap_or_else(|e| panic!("{what}: {e}"));
    let mut lost = Vec::new();
    let mut there = BTreeMap::new();
    for (key, values) in model {
        match get(&mut shard, key) {
            Some(bytes) => {
                assert!(values.contains(&bytes), "{what}: wrong bytes under {key}");
                there.insert(key.clone(), bytes);
            }
            None => lost.push(key.clone()),
        }
    }
    let _ = shard.list();
    shard.verify(&Job::default()).unwrap();
    if options.read_only {
        return lost;
    }
    put(&mut shard, "afterwards", b"works");
    merge(&mut shard, &[("and", b"batches"), ("do", b"too")]);
    let mut other = open().unwrap();
    for shard in [&mut shard, &mut other] {
        assert_eq!(get(shard, "afterwards").as_deref(), Some(&b"works"[..]), "{what}");
        assert_eq!(get(shard, "do").unwrap(), b"too", "{what}");
        for (key, bytes) in &there {
            assert_eq!(get(shard, key).as_ref(), Some(bytes), "{what}: {key} was readable");
        }
    }
    lost
}

struct Specimen {
    _dir: tempfile::TempDir,
    path: PathBuf,
    model: Model,
    bytes: Vec<u8>,
    sidecar: Vec<u8>,
}

impl Specimen {
    fn new(flush: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.shard");
        let model = build(&path, flush);
        let bytes = std::fs::read(&path).unwrap();
        let sidecar = std::fs::read(lock_path(&path)).unwrap();
        Specimen { _dir: dir, path, model, bytes, sidecar }
    }

    /// Replaces the shard by a new file with damaged bytes, so that no handle or page knows about it.
    fn lay_out(&self, bytes: &[u8], sidecar: bool) {
        for path in [self.path.clone(), lock_path(&self.path)] {
            let _ = std::fs::remove_file(path);
        }
        std::fs::write(&self.path, bytes).unwrap();
        if sidecar {
            std::fs::write(lock_path(&self.path), &self.sidecar).unwrap();
            set_private(&lock_path(&self.path));
        }
        set_private(&self.path);
    }
}

fn set_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn flip_all(flush: bool, sidecar: bool, range: impl Fn(&[u8]) -> Vec<usize>, flips: &[u8]) {
    let it = Specimen::new(flush);
    let frames = frames(&it.bytes);
    for at in range(&it.bytes) {
        for (n, flip) in flips.iter().enumerate() {
            let mut bytes = it.bytes.clone();
            bytes[at] ^= flip;
            it.lay_out(&bytes, sidecar);
            let options = match (at + n) % 3 {
                0 => unmapped(),
                1 => read_only(),
                _ => quiet(),
            };
            let what = format!("byte {at} ^ {flip:#x}, sidecar {sidecar}, flushed {flush}");
            let lost = check(&it.path, &it.model, &options, &what);
            let Some((_, head)) = frames.iter().rev().find(|(o, _)| *o <= at) else {
                // Some bytes of the first block are unused; a damaged header costs everything.
                assert!(at >= 256 || lost.len() == it.model.len(), "{what}");
                continue;
            };
            if flush || sidecar {
                let most = match head.kind {
                    RECORD => 1,
                    // A damaged slot can hide entries that are in later groups because this one was full.
                    SNAPSHOT => 8,
                    COMMIT | TOMBSTONE => 0,
                    _ => unreachable!(),
                };
                assert!(lost.len() <= most, "{what} cost {lost:?}");
            }
        }
    }
}

/// Every byte of most frames, and every seventh byte of the sixty similar records.
fn all_but_filler(bytes: &[u8]) -> Vec<usize> {
    let mut all = Vec::new();
    for (n, (at, head)) in frames(bytes).iter().enumerate() {
        let step = if (12..69).contains(&n) { 7 } else { 1 };
        all.extend((*at..at + head.length.get() as usize).step_by(step));
    }
    all
}

#[test]
fn a_flipped_byte_of_the_first_block_is_noticed_or_harmless() {
    for (sidecar, flip) in [(true, 0xFF), (false, 0x01)] {
        flip_all(true, sidecar, |_: &[u8]| (0..4096).collect(), &[flip]);
    }
}

#[test]
fn a_flipped_byte_costs_one_entry_if_the_sidecar_knows_the_committed_length() {
    flip_all(false, true, all_but_filler, &[0x01]);
}

#[test]
fn a_flipped_byte_costs_one_entry_if_a_root_knows_the_committed_length() {
    flip_all(true, false, all_but_filler, &[0x80]);
}

#[test]
fn a_flipped_byte_never_gives_wrong_bytes_even_if_no_committed_length_is_known() {
    flip_all(false, false, all_but_filler, &[0xFF]);
}

#[test]
fn a_shard_cut_anywhere_still_gives_what_is_left() {
    for (flush, sidecar) in [(true, true), (true, false), (false, true), (false, false)] {
        let it = Specimen::new(flush);
        let frames = frames(&it.bytes);
        for len in 0..it.bytes.len() {
            it.lay_out(&it.bytes[..len], sidecar);
            let options = if len % 2 == 0 { quiet() } else { unmapped() };
            let what = format!("cut to {len}, sidecar {sidecar}, flushed {flush}");
            let lost = check(&it.path, &it.model, &options, &what);
            let records: usize =
                frames.iter().filter(|(o, h)| h.kind == RECORD && o + h.length.get() as usize > len).count();
            if len >= 4096 {
                let block = std::fs::read(&it.path).unwrap();
                let header = Header::decode(&block, None).unwrap();
                if let Some(root) = Root::decode_all(&block, header.check_seed()).first() {
                    assert!(root.committed <= block.len() as u64, "{what}: {root:?}");
                }
            }
            // If the committed length is not known, a batch that lost its end is lost as a whole.
            assert!(lost.len() <= records + 3 || len < 4096, "{what}: {lost:?}");
        }
    }
}

#[test]
fn verify_names_the_kind_of_a_damaged_frame() {
    let it = Specimen::new(true);
    let mut seen = std::collections::BTreeSet::new();
    for (at, head) in frames(&it.bytes) {
        let mut bytes = it.bytes.clone();
        bytes[at + head.length.get() as usize - 1] ^= 1;
        it.lay_out(&bytes, true);
        let report = open(&it.path).verify(&Job::default()).unwrap();
        let what = match head.kind {
            RECORD => "record",
            TOMBSTONE => "tombstone",
            COMMIT => "commit frame",
            _ => "index snapshot",
        };
        assert_eq!(report.corrupt, 1, "{what}");
        let fault = report.faults.first().unwrap();
        assert_eq!((fault.offset, &*fault.reason), (at as u64, &*format!("the {what}'s digest fails")));
        seen.insert(head.kind);
    }
    assert_eq!(seen.len(), 4);
}

#[test]
fn an_older_value_never_comes_back_through_a_damaged_index() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    for round in 0..3u64 {
        for i in 0..70u64 {
            put(&mut shard, &format!("k{i}"), &telling("k", round, 16));
        }
    }
    shard.flush().unwrap();
    shard.close();
    let bytes = std::fs::read(&path).unwrap();
    let sidecar = std::fs::read(lock_path(&path)).unwrap();
    let (snapshot, _) = *frames(&bytes).iter().find(|(_, h)| h.kind == SNAPSHOT).unwrap();
    // Bytes of the index snapshot, and of the last records that it refers to.
    for at in (snapshot - 400..snapshot + 300).chain((snapshot + 300..bytes.len()).step_by(3)) {
        let flip = [0x01, 0x02, 0x10, 0x7F][at % 4];
        let mut bad = bytes.clone();
        bad[at] ^= flip;
        std::fs::write(&path, &bad).unwrap();
        std::fs::write(lock_path(&path), &sidecar).unwrap();
        let mut shard = Shard::open(&path, read_only()).unwrap();
        let mut found = 0;
        for i in 0..70 {
            if let Some(bytes) = get(&mut shard, &format!("k{i}")) {
                assert_eq!(check_telling("k", &bytes), 2, "byte {at} ^ {flip:#x}");
                found += 1;
            }
        }
        assert!(found >= 60, "byte {at} ^ {flip:#x} cost {}", 70 - found);
    }
}

#[test]
fn an_entry_whose_newest_record_lost_its_key_is_not_served_from_an_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.shard");
    let mut shard = open(&path);
    for i in 0..70 {
        put(&mut shard, &format!("key {i}"), b"old");
    }
    shard.close();
    let at = std::fs::metadata(&path).unwrap().len() as usize;
    put(&mut open(&path), "key 7", b"new");
    let bytes = std::fs::read(&path).unwrap();
    let sidecar = std::fs::read(lock_path(&path)).unwrap();
    for byte in at + 80..at + 85 {
        let mut bad = bytes.clone();
        bad[byte] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        std::fs::write(lock_path(&path), &sidecar).unwrap();
        let mut shard = open(&path);
        assert_eq!(get(&mut shard, "key 7"), None);
        assert_eq!(shard.stats().corrupt, 1);
        assert_eq!(get(&mut shard, "key 8").unwrap(), b"old");
        put(&mut shard, "key 7", b"newer");
        for shard in [&mut shard, &mut open(&path)] {
            assert_eq!(get(shard, "key 7").unwrap(), b"newer");
        }
        shard.compact(&Job::default()).unwrap();
        assert_eq!(get(&mut shard, "key 7").unwrap(), b"newer");
    }
}
